// Changes of state beside other requests, recorded with everything that is written to the database,
// its WAL and the audit file; then COUNT power cuts, each at a random moment, with any unsynced
// sector lost, kept, or as it was at some time between. After each cut the database opens, every
// acknowledged change is there with both its entries, no change is there without its entry, and all
// findings of the verifier concern lines after the last sync. usage: audit_power_cuts COUNT
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "coffer/audit/broker.h"
#include "coffer/audit/verifier.h"
#include "coffer/crypto/system_random.h"
#include "fakes/power_cut_disk.h"
#include "fakes/recording_vfs.h"
#include "fakes/row_codes.h"
#include "fakes/software_signer.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {
namespace {

namespace fs = std::filesystem;
using fakes::PowerCutDisk;

constexpr int kChanges = 600;          // enough for SQLite to empty its WAL into the database once
constexpr int kRequestsPerChange = 3;  // of others, meanwhile
constexpr int kChangesPerCheckpoint = 20;

[[noreturn]] void Die(const std::string& why) {
  std::printf("FAILED %s\n0 passed, 1 failed, 0 skipped\n", why.c_str());
  std::exit(1);
}
void Need(const Status& done, const char* what) {
  if (!done) Die(std::string(what) + ": " + done.error().message + " " + done.error().cause);
}

Bytes ReadFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void WriteFile(const fs::path& file, const Bytes& content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(content.data()),
            static_cast<std::streamsize>(content.size()));
  if (!out.flush()) Die("failed to write " + file.string());
}

// The system's files; what is done to the one that is written to is told to the disk as "audit".
// They are not really synced.
class RecordingFiles final : public FileOperations {
 public:
  explicit RecordingFiles(PowerCutDisk& disk) : disk_(disk) {}
  int Open(const fs::path& path) override { return real_.Open(path); }
  void Close(int file) override { real_.Close(file); }
  std::int64_t Write(int file, std::string_view octets) override {
    Facts facts;
    real_.Inspect(file, facts);
    const std::int64_t wrote = real_.Write(file, octets);
    if (wrote > 0) {
      disk_.Write("audit", facts.size, AsBytes(octets.substr(0, static_cast<std::size_t>(wrote))));
    }
    return wrote;
  }
  int WaitWritable(int file, std::chrono::milliseconds wait) override {
    return real_.WaitWritable(file, wait);
  }
  std::int64_t Read(int file, std::uint64_t offset, MutableBytes out) override {
    return real_.Read(file, offset, out);
  }
  int Sync(int) override {
    const std::uint64_t begun = disk_.BeginSync();
    std::this_thread::yield();  // others write meanwhile
    disk_.EndSync("audit", begun);
    return 0;
  }
  int Inspect(int file, Facts& facts) override { return real_.Inspect(file, facts); }
  int Inspect(const fs::path& path, Facts& facts) override { return real_.Inspect(path, facts); }
  int Rename(const fs::path& from, const fs::path& to) override { return real_.Rename(from, to); }
  int SyncDirectory(const fs::path&) override { return 0; }
  std::int64_t FreeSpace(int file) override { return real_.FreeSpace(file); }

 private:
  PowerCutDisk& disk_;
  FileOperations& real_ = SystemFiles();
};

class Signer final : public CheckpointSigner {
 public:
  Result<Bytes> PublicKey() override { return key_.PublicKey(); }
  Result<Bytes> Sign(ByteView message) override { return key_.Sign(message); }

 private:
  fakes::SoftwareSigner key_;
};

class ErrorCounter final : public Logger {
 public:
  void Log(LogLevel level, std::string_view, std::string_view text,
           std::initializer_list<LogField>) override {
    if (level == LogLevel::kError) last_error = text;
  }
  std::string last_error;
};

// One server's storage and trail, as they stand in a folder.
struct Server {
  Server(const fs::path& folder, FileOperations& files, Signer& signer)
      : broker({files, random, clock, logger}) {
    auto schema = Broker::Schema();
    schema.push_back({"power_cuts", 1, "CREATE TABLE changes (id INTEGER PRIMARY KEY) STRICT"});
    auto opened = storage::Database::Open({.file = folder / "coffer.db"}, schema, logger);
    if (!opened) Die("the database does not open: " + opened.error().cause);
    database = std::move(*opened);
    Need(fakes::Authenticate(*database), "authenticate the rows");
    database->AddCommitObserver(broker);
    Broker::Custody custody;
    custody.signer = &signer;
    custody.salt = [](std::string_view label) -> Result<SecretBytes> {
      return SecretBytes::CopyOf(crypto::Sha256(AsBytes(label)));
    };
    custody.want_checkpoint = [] {};
    Need(broker.Open(*database, std::move(custody), {}, {folder / "audit", {}}), "open the trail");
  }
  ~Server() { broker.Close(); }

  void Record(Entry::Type type, const std::string& id, bool durable) {
    Entry entry;
    entry.type = type;
    entry.request_id = id;
    entry.path = "transit/keys/k";
    entry.request_data = R"({"type":"aes256-gcm96"})";
    entry.status = 200;
    entry.durable = durable;
    Need(broker.Record(entry), "record");
  }
  std::set<int> Changes() {
    auto reader = database->Read();
    auto select = reader->Prepare("SELECT id FROM changes");
    std::set<int> ids;
    while (select->Step().value()) ids.insert(static_cast<int>(select->Int(0)));
    return ids;
  }

  ErrorCounter logger;
  crypto::SystemRandom random;
  SystemClock clock;
  std::unique_ptr<storage::Database> database;
  Broker broker;
};

std::string IdOf(int change) { return "change-" + std::to_string(change); }

// The content of the whole lines of an audit file.
struct Trail {
  std::set<std::string> requests;
  std::set<std::string> responses;
  std::uint64_t last = 0;   // the highest number
  std::uint64_t lines = 0;  // whole lines of every kind
};
Trail ReadTrail(const Bytes& content) {
  Trail trail;
  std::string_view text = AsText(content);
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    ++trail.lines;
    SealedLine sealed;
    if (!ReadSealedLine(line, sealed) || !sealed.Intact()) continue;
    trail.last = std::max(trail.last, sealed.at.sequence);
    const auto entry = nlohmann::json::parse(line);
    if (!entry.contains("request")) continue;
    auto& ids = entry["type"] == "response" ? trail.responses : trail.requests;
    ids.insert(entry["request"]["id"]);
  }
  return trail;
}

class Run {
 public:
  // Carries out all changes; `lying`: on a disk whose syncs do nothing.
  explicit Run(bool lying) {
    fs::create_directory(folder_.Path() / "audit");
    disk_.ignores_syncs = lying;
    const fakes::RecordingVfs vfs(disk_);
    Server server(folder_.Path(), files_, signer_);
    DeviceSettings settings;
    settings.path = "file/";
    settings.file = "audit.log";
    Need(server.broker.Enable(settings), "enable the device");
    disk_.Begin(
        {{"db", ReadFile(Database())}, {"wal", ReadFile(Wal())}, {"audit", ReadFile(Audit())}});
    Work(server);
    end_ = disk_.Moment();
    pem_ = server.broker.PublicKeyPem();
  }

  // Makes a power cut and returns what is wrong afterwards; empty if nothing is.
  std::string Cut(std::uint64_t moment, PowerCutDisk::Fate fate) {
    const PowerCutDisk::Image image = disk_.Cut(moment, fate, random_);
    fs::remove(Database().string() + "-shm");
    WriteFile(Database(), image.at("db"));
    WriteFile(Wal(), image.at("wal"));
    WriteFile(Audit(), image.at("audit"));
    const Trail trail = ReadTrail(image.at("audit"));
    const Trail synced =
        ReadTrail(disk_.Cut(moment, PowerCutDisk::Fate::kLost, random_).at("audit"));
    Server server(folder_.Path(), SystemFiles(), signer_);
    const std::set<int> changes = server.Changes();
    for (const auto& [change, acknowledged] : acknowledged_) {
      const bool known = acknowledged <= moment;
      const bool there = changes.contains(change);
      const bool asked = trail.requests.contains(IdOf(change));
      if (known && !there) return IdOf(change) + " was acknowledged and is lost";
      if (known && (!asked || !trail.responses.contains(IdOf(change)))) {
        return IdOf(change) + " was acknowledged and has not both its entries";
      }
      if (there && !asked) return IdOf(change) + " is there without its entry";
    }
    if (!server.logger.last_error.empty()) return "the server logged: " + server.logger.last_error;
    return JudgeFile(synced);
  }

  std::uint64_t RandomMoment() {
    return std::uniform_int_distribution<std::uint64_t>(0, end_)(random_);
  }
  std::uint64_t End() const { return end_; }

 private:
  fs::path Database() const { return folder_.Path() / "coffer.db"; }
  fs::path Wal() const { return folder_.Path() / "coffer.db-wal"; }
  fs::path Audit() const { return folder_.Path() / "audit" / "audit.log"; }

  void Work(Server& server) {
    std::counting_semaphore<> others(0);
    std::counting_semaphore<> checkpoints(0);
    std::thread requests([&] {
      for (int i = 0; i < kChanges * kRequestsPerChange; ++i) {
        others.acquire();
        const std::string id = "use-" + std::to_string(i);
        server.Record(Entry::Type::kRequest, id, false);
        server.Record(Entry::Type::kResponse, id, false);
      }
    });
    std::thread signing([&] {
      for (int i = 0; i < kChanges / kChangesPerCheckpoint; ++i) {
        checkpoints.acquire();
        server.broker.Checkpoint();
      }
    });
    for (int change = 1; change <= kChanges; ++change) {
      others.release(kRequestsPerChange);
      if (change % kChangesPerCheckpoint == 0) checkpoints.release();
      server.Record(Entry::Type::kRequest, IdOf(change), true);
      auto transaction = server.database->Begin();
      {
        auto insert = transaction->Prepare("INSERT INTO changes (id) VALUES (?)");
        insert->Bind(0, std::int64_t{change});
        if (!insert->Step()) Die("a change failed");
      }
      Need(transaction->Commit(), "commit");
      server.Record(Entry::Type::kResponse, IdOf(change), true);
      acknowledged_.emplace_back(change, disk_.Moment());
    }
    requests.join();
    signing.join();
  }

  std::string JudgeFile(const Trail& synced) const {
    const auto key = crypto::EcdsaP256Key::FromPem(pem_);
    const auto report = Verify(std::vector{Audit()}, *key, {});
    if (!report) return "the file cannot be verified";
    for (const Finding& finding : report->findings) {
      // A finding about a line that is no entry has no number, so its line is compared.
      const bool behind =
          finding.first == 0 ? finding.line > synced.lines : finding.first > synced.last;
      if (!behind) {
        return finding.text + ", although everything up to entry " + std::to_string(synced.last) +
               " was synced";
      }
    }
    return {};
  }

  const fakes::TemporaryDirectory folder_;
  PowerCutDisk disk_;
  RecordingFiles files_{disk_};
  Signer signer_;
  std::mt19937_64 random_{20261124};
  std::string pem_;
  std::vector<std::pair<int, std::uint64_t>> acknowledged_;
  std::uint64_t end_ = 0;
};

}  // namespace
}  // namespace coffer::audit

int main(int argc, char** argv) {
  using coffer::audit::Run;
  using Fate = coffer::fakes::PowerCutDisk::Fate;
  constexpr std::array kFates{Fate::kLost, Fate::kAny, Fate::kAnyOrNoise, Fate::kKept};
  const int count = argc > 1 ? std::atoi(argv[1]) : 0;
  if (count < 1) return 2;
  int failed = 0;
  {
    Run lying(true);
    if (lying.Cut(lying.End(), Fate::kLost).empty()) {
      std::printf("FAILED a disk that does not sync was not noticed\n");
      ++failed;
    }
  }
  Run run(false);
  std::printf("%d changes, %llu writes and syncs\n", coffer::audit::kChanges,
              static_cast<unsigned long long>(run.End()));
  for (int i = 0; i < count; ++i) {
    const std::uint64_t moment = run.RandomMoment();
    const std::string wrong = run.Cut(moment, kFates[static_cast<std::size_t>(i) % kFates.size()]);
    if (wrong.empty()) continue;
    ++failed;
    std::printf("FAILED at moment %llu: %s\n", static_cast<unsigned long long>(moment),
                wrong.c_str());
  }
  std::printf("%d passed, %d failed, 0 skipped\n", count - failed, failed);
  return failed == 0 ? 0 : 1;
}
