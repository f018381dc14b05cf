#include "coffer/pkcs11/probe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace coffer::pkcs11 {
namespace {

constexpr unsigned long kKeyOctets = 32;
constexpr std::size_t kWrappedOctets = 40;  // RFC 5649: 8 more than the key

// The session objects of one probe, all under one random label; destroyed with it. By label and not
// by handle, because SoftHSM 2.6.1 leaves an object without a value if C_UnwrapKey fails on an
// attribute.
class Bench final {
 public:
  explicit Bench(Session& session) : session_(session) {}
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    if (label_.empty()) return;
    Attributes ours;
    ours.Add(AttributeType::kToken, false).Add(AttributeType::kLabel, label_);
    const auto objects = session_.Find(ours);
    if (!objects) return;  // session objects: they go with the session at the latest
    for (const ObjectHandle object : *objects) {
      const Status destroyed = session_.DestroyObject(object);
      static_cast<void>(destroyed);
    }
  }

  Status Open() {
    std::array<std::uint8_t, 16> random{};
    COFFER_TRY(session_.GenerateRandom(random));
    label_ = "coffer-probe-" + ToHex(random);
    return {};
  }
  Result<ObjectHandle> Generate(MechanismType mechanism, const Attributes& attributes) {
    Attributes labelled = Labelled(attributes);
    labelled.Add(AttributeType::kValueLen, kKeyOctets);
    return Noted(session_.GenerateKey(mechanism, labelled));
  }
  Result<ObjectHandle> Unwrap(MechanismType mechanism, ObjectHandle master, ByteView blob,
                              const Attributes& attributes) {
    return Noted(session_.UnwrapKey(mechanism, master, blob, Labelled(attributes)));
  }
  Session& session() { return session_; }
  // A token that is gone, or not logged in, looks like one that refuses everything; this tells them
  // apart.
  Status CheckNotLost() const {
    if (lost_) return Fail(*lost_);
    return {};
  }

 private:
  // The label comes first, so that the object has it even if the token fails at a later attribute.
  Attributes Labelled(const Attributes& attributes) const {
    Attributes labelled;
    labelled.Add(AttributeType::kLabel, label_).Append(attributes);
    return labelled;
  }

  Result<ObjectHandle> Noted(Result<ObjectHandle> key) {
    if (!key && key.error().code == Code::kTokenLost) lost_ = key.error();
    return key;
  }

  Session& session_;
  std::string label_;
  std::optional<Error> lost_;
};

Attributes SessionKey(KeyType type) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kSecretKey)
      .Add(AttributeType::kKeyType, type)
      .Add(AttributeType::kToken, false)
      .Add(AttributeType::kPrivate, true);
  return attributes;
}

Attributes UnwrapTemplate() {
  Attributes attributes = SessionKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true).Add(AttributeType::kExtractable, false);
  return attributes;
}

Attributes Master(MechanismType key_wrap, bool with_template) {
  Attributes attributes = SessionKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kExtractable, false)
      .Add(AttributeType::kWrap, true)
      .Add(AttributeType::kUnwrap, true)
      .Add(AttributeType::kEncrypt, false)
      .Add(AttributeType::kDecrypt, false)
      .AddMechanisms(AttributeType::kAllowedMechanisms, {key_wrap});
  if (with_template) attributes.AddTemplate(AttributeType::kUnwrapTemplate, UnwrapTemplate());
  return attributes;
}

Attributes Extractable() {
  Attributes attributes = SessionKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true).Add(AttributeType::kExtractable, true);
  return attributes;
}

// A master and a 32-byte key wrapped under it; nothing where the token refuses.
struct Wrapped {
  ObjectHandle master;
  Bytes blob;
};

std::optional<Wrapped> WrapOne(Bench& bench, MechanismType key_wrap, bool with_template) {
  const auto master = bench.Generate(MechanismType::kAesKeyGen, Master(key_wrap, with_template));
  const auto key = bench.Generate(MechanismType::kAesKeyGen, Extractable());
  if (!master || !key) return std::nullopt;
  auto blob = bench.session().WrapKey(key_wrap, *master, *key);
  if (!blob) return std::nullopt;
  return Wrapped{*master, *std::move(blob)};
}

// KWP is deterministic (RFC 5649 has no random part), so a key that came back whole wraps to the
// same bytes again.
bool WrapsWithPadding(Bench& bench, MechanismType key_wrap) {
  const auto wrapped = WrapOne(bench, key_wrap, /*with_template=*/false);
  if (!wrapped || wrapped->blob.size() != kWrappedOctets) return false;
  const auto back = bench.Unwrap(key_wrap, wrapped->master, wrapped->blob, Extractable());
  if (!back) return false;
  const auto again = bench.session().WrapKey(key_wrap, wrapped->master, *back);
  return again && *again == wrapped->blob;
}

// A token may also take a forbidden value and silently put the template's: that protects as well.
bool IsExtractable(Session& session, ObjectHandle key) {
  const auto extractable = session.GetBool(key, AttributeType::kExtractable);
  return !extractable || *extractable;
}

UnwrapTemplateUse AttackUnwrapTemplate(Bench& bench, MechanismType key_wrap) {
  const auto wrapped = WrapOne(bench, key_wrap, /*with_template=*/true);
  if (!wrapped) return UnwrapTemplateUse::kRefused;
  const auto honest = bench.Unwrap(key_wrap, wrapped->master, wrapped->blob, UnwrapTemplate());
  if (!honest || IsExtractable(bench.session(), *honest)) return UnwrapTemplateUse::kRefused;

  // Three attempts at an extractable key: ask for it with a full template, ask for that attribute
  // alone, and leave it to the token's default.
  std::array<Attributes, 3> attacks = {SessionKey(KeyType::kAes), Extractable(),
                                       SessionKey(KeyType::kAes)};
  attacks[0].Add(AttributeType::kSensitive, false).Add(AttributeType::kExtractable, true);
  for (const Attributes& attack : attacks) {
    const auto stolen = bench.Unwrap(key_wrap, wrapped->master, wrapped->blob, attack);
    if (stolen && IsExtractable(bench.session(), *stolen)) return UnwrapTemplateUse::kIgnored;
  }
  return UnwrapTemplateUse::kEnforced;
}

void ProbeUnwrapAttributes(Bench& bench, TokenProfile& profile) {
  const MechanismType key_wrap = *profile.key_wrap_with_padding;
  const auto wrapped = WrapOne(bench, key_wrap, /*with_template=*/false);
  if (!wrapped) return;
  const auto takes = [&](const Attributes& attributes) {
    return bench.Unwrap(key_wrap, wrapped->master, wrapped->blob, attributes).has_value();
  };
  Attributes first;
  first.Add(AttributeType::kModifiable, false).Append(UnwrapTemplate());
  Attributes last = UnwrapTemplate();
  last.Add(AttributeType::kModifiable, false);
  profile.modifiable_must_be_last = !takes(first) && takes(last);
  Attributes with_length = UnwrapTemplate();
  with_length.Add(AttributeType::kValueLen, kKeyOctets);
  profile.unwrap_takes_value_len = takes(with_length);
}

bool DoesGcm(Bench& bench) {
  Session& session = bench.session();
  Attributes attributes = SessionKey(KeyType::kAes);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kEncrypt, true)
      .Add(AttributeType::kDecrypt, true);
  const auto key = bench.Generate(MechanismType::kAesKeyGen, attributes);
  if (!key) return false;
  constexpr std::array<std::uint8_t, 12> kIv{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  constexpr std::array<std::uint8_t, 20> kPlain{0xc0, 0xff};
  const AeadParameters parameters{kIv, kPlain};
  std::array<std::uint8_t, kPlain.size() + 16> sealed{};
  std::array<std::uint8_t, sealed.size()> opened{};
  if (!session.EncryptGcm(*key, parameters, kPlain, sealed)) return false;
  const auto size = session.DecryptGcm(*key, parameters, sealed, opened);
  if (!size || *size != kPlain.size() ||
      !std::equal(kPlain.begin(), kPlain.end(), opened.begin())) {
    return false;
  }
  sealed.back() ^= 1;
  return !session.DecryptGcm(*key, parameters, sealed, opened);
}

bool DoesHmac(Bench& bench) {
  Session& session = bench.session();
  Attributes attributes = SessionKey(KeyType::kGenericSecret);
  attributes.Add(AttributeType::kSensitive, true)
      .Add(AttributeType::kSign, true)
      .Add(AttributeType::kVerify, true);
  const auto key = bench.Generate(MechanismType::kGenericSecretKeyGen, attributes);
  if (!key) return false;
  const ByteView data = AsBytes("probe");
  std::array<std::uint8_t, 32> mac{};
  const auto size = session.Sign(MechanismType::kSha256Hmac, *key, data, mac);
  if (!size || *size != mac.size()) return false;
  if (!session.Verify(MechanismType::kSha256Hmac, *key, data, mac)) return false;
  mac.front() ^= 1;
  return !session.Verify(MechanismType::kSha256Hmac, *key, data, mac);
}

}  // namespace

Result<TokenProfile> ProbeToken(Session& session) {
  TokenProfile profile;
  {
    Bench bench(session);
    COFFER_TRY(bench.Open());
    // 0x210b first: it means KWP wherever it exists, 0x210a only in some tokens.
    for (const MechanismType key_wrap :
         {MechanismType::kAesKeyWrapKwp, MechanismType::kAesKeyWrapPad}) {
      if (!WrapsWithPadding(bench, key_wrap)) continue;
      profile.key_wrap_with_padding = key_wrap;
      profile.unwrap_template = AttackUnwrapTemplate(bench, key_wrap);
      ProbeUnwrapAttributes(bench, profile);
      break;
    }
    profile.gcm_caller_iv = DoesGcm(bench);
    profile.hmac_sha256 = DoesHmac(bench);
    COFFER_TRY(bench.CheckNotLost());
  }
  if (session.Broken()) {
    return Fail(Code::kTokenFailed, "the token failed", "the probe broke its session");
  }
  return profile;
}

}  // namespace coffer::pkcs11
