#include "coffer/keyring/token_doctor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "keyring/doctor_bench.h"
#include "keyring/doctor_operations.h"
#include "keyring/lost.h"
#include "keyring/module_copy.h"
#include "keyring/token_description.h"

namespace coffer::keyring {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string HexNumber(pkcs11::MechanismType mechanism) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                          static_cast<unsigned long>(mechanism), 16);
  static_cast<void>(error);  // 16 digits hold any number
  return "0x" + std::string(digits.data(), end);
}

std::string_view UseName(pkcs11::UnwrapTemplateUse use) {
  switch (use) {
    case pkcs11::UnwrapTemplateUse::kEnforced:
      return "enforced";
    case pkcs11::UnwrapTemplateUse::kIgnored:
      return "ignored";
    case pkcs11::UnwrapTemplateUse::kRefused:
      break;
  }
  return "refused";
}

// Goes through the key types one after the other.
class Examination {
 public:
  Examination(DoctorBench& bench, const DoctorOptions& options, Diagnosis& diagnosis)
      : bench_(bench), options_(options), diagnosis_(diagnosis) {}

  Status Run();

 private:
  Status ExamineType(const KeyTypeInfo& info);
  Status ExamineOperation(const Specimen& specimen, const Operation& operation);
  Status ExamineDerived(const KeyTypeInfo& info, const Operation& operation);
  Trial TryOnce(const Specimen& specimen, const Operation& operation);
  Status ExamineLoading(const Specimen& specimen);
  void Add(const KeySpec& spec, std::string_view operation, Way way, std::string note,
           double per_second = 0);
  // The number of calls of `once` in a second; 0 if speeds are not measured or a call failed.
  double Speed(const std::function<bool()>& once) const;

  DoctorBench& bench_;
  const DoctorOptions& options_;
  Diagnosis& diagnosis_;
};

void Examination::Add(const KeySpec& spec, std::string_view operation, Way way, std::string note,
                      double per_second) {
  diagnosis_.findings.push_back(
      {KeyTypeName(spec.type), operation, way, std::move(note), per_second});
}

double Examination::Speed(const std::function<bool()>& once) const {
  if (options_.window.count() == 0) return 0;
  const auto begin = SteadyClock::now();
  std::int64_t count = 0;
  std::chrono::duration<double> passed{};
  while (passed < options_.window) {
    if (!once()) return 0;
    ++count;
    passed = SteadyClock::now() - begin;
  }
  return static_cast<double>(count) / passed.count();
}

Status Examination::ExamineOperation(const Specimen& specimen, const Operation& operation) {
  const auto key = bench_.Take(specimen, operation.use);
  Trial trial = key ? operation.once(bench_, specimen, *key) : Trial(Fail(key.error()));
  if (!trial) {
    Add(specimen.spec, operation.name, Way::kRefused, Why(trial.error()));
    return bench_.CheckAlive();
  }
  const double speed = Speed([&] { return operation.once(bench_, specimen, *key).has_value(); });
  bench_.Release(specimen, *key);
  Add(specimen.spec, operation.name, operation.outside ? Way::kPublicOutside : specimen.way,
      *std::move(trial), speed);
  return {};
}

// A `derived` key's base has a class of masters of its own, by the KDF: the first that the token
// has.
Status Examination::ExamineDerived(const KeyTypeInfo& info, const Operation& operation) {
  std::string why;
  for (const Kdf kdf : Kdfs()) {
    const Specimen base =
        bench_.Make({.type = info.type, .derived = true, .kdf = kdf}, operation.use);
    Trial trial = base.way == Way::kRefused ? Trial(base.note) : TryOnce(base, operation);
    const bool works = base.way != Way::kRefused && trial;
    Status done = works ? ExamineOperation(base, operation) : bench_.CheckAlive();
    bench_.Discard(base);
    if (works || !done) return done;
    why = trial ? *std::move(trial) : Why(trial.error());
  }
  Add({.type = info.type}, operation.name, Way::kRefused, std::move(why));
  return {};
}

Trial Examination::TryOnce(const Specimen& specimen, const Operation& operation) {
  COFFER_ASSIGN(const pkcs11::ObjectHandle key, bench_.Take(specimen, operation.use));
  Trial trial = operation.once(bench_, specimen, key);
  bench_.Release(specimen, key);
  return trial;
}

Status Examination::ExamineLoading(const Specimen& specimen) {
  if (specimen.way != Way::kWrapped) return {};
  const double speed = Speed([&] {
    const auto key = bench_.Take(specimen, specimen.use);
    if (key) bench_.Release(specimen, *key);
    return key.has_value();
  });
  Add(specimen.spec, "load", Way::kWrapped, "", speed);
  return {};
}

Status Examination::ExamineType(const KeyTypeInfo& info) {
  if (options_.progress) options_.progress(info.name);
  const std::vector<Operation> operations = OperationsOf(info);
  const auto begin = SteadyClock::now();
  const Specimen specimen = bench_.Make({.type = info.type}, MainUse(info.family));
  const std::chrono::duration<double> making = SteadyClock::now() - begin;
  if (specimen.way == Way::kRefused) {
    Add(specimen.spec, "create", Way::kRefused, specimen.note);
    for (const Operation& operation : operations) {
      Add(specimen.spec, operation.name, Way::kRefused, "no such key can be made");
    }
    return bench_.CheckAlive();
  }
  COFFER_ASSIGN(const bool kept, bench_.KeepsSessionObjects());
  if (kept) diagnosis_.keeps_session_objects = true;
  // Making an RSA key takes long enough to be its own measurement. A token object is made once
  // too: it wears the token, and tpm2-pkcs11 keeps a destroyed one's place in the TPM until the
  // process ends; a TPM without places does nothing more.
  const bool once = making > options_.window || specimen.in_token;
  const double speed = options_.window.count() == 0 ? 0
                       : once                       ? 1 / making.count()
                              : Speed([&] { return bench_.MakeAgain(specimen).has_value(); });
  Add(specimen.spec, "create", specimen.way, specimen.note, speed);
  Status done = ExamineLoading(specimen);
  for (const Operation& operation : operations) {
    if (!done) break;
    done = operation.use == Use::kDerive ? ExamineDerived(info, operation)
                                         : ExamineOperation(specimen, operation);
  }
  bench_.Discard(specimen);
  return done;
}

Status Examination::Run() {
  for (const KeyTypeInfo& info : KeyTypes()) COFFER_TRY(ExamineType(info));
  return {};
}

}  // namespace

std::string_view WayName(Way way) {
  switch (way) {
    case Way::kWrapped:
      return "wrapped";
    case Way::kResident:
      return "resident";
    case Way::kPublicOutside:
      return "public part outside";
    case Way::kRefused:
      break;
  }
  return "refused";
}

Result<Diagnosis> ExamineToken(const TokenLocation& location, const SecretBytes& pin,
                               const DoctorOptions& options) {
  COFFER_ASSIGN(const auto module, LoadCopy(location));
  COFFER_ASSIGN(const pkcs11::SlotId slot, module->FindToken(location.label, location.serial));
  COFFER_ASSIGN(const pkcs11::TokenInfo info, module->GetTokenInfo(slot));
  COFFER_ASSIGN(const pkcs11::ModuleInfo library, module->Info());
  if (info.user_pin_locked) {
    return Fail(Code::kPinLocked,
                "the token's user PIN is locked: the security officer must reset it");
  }
  DoctorBench bench(*module, slot, options.token_objects);
  COFFER_TRY(bench.Open(pin));
  Diagnosis diagnosis;
  diagnosis.token = DescriptionOf(info, library);
  const TokenTrial& trial = bench.Trial();
  if (trial.found.key_wrap_with_padding) {
    diagnosis.key_wrap = HexNumber(*trial.found.key_wrap_with_padding);
  }
  diagnosis.unwrap_template = UseName(trial.found.unwrap_template);
  diagnosis.keeps_epoch = trial.keeps_epoch;
  diagnosis.missing = trial.missing;
  COFFER_TRY(bench.CheckAlive());
  Status examined = Examination(bench, options, diagnosis).Run();
  COFFER_ASSIGN(diagnosis.left_behind, bench.Clear());
  if (!examined) return Fail(std::move(examined).error());
  return diagnosis;
}

}  // namespace coffer::keyring
