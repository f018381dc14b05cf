#include "coffer/audit/verifier.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "audit/chain_linker.h"
#include "audit/line_chunks.h"

namespace coffer::audit {
namespace {

constexpr std::size_t kChunkOctets = 4UL * 1024 * 1024;
constexpr std::size_t kMaxLine = 256UL * 1024 * 1024;  // far beyond what the server writes

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (file_ >= 0) ::close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool Good() const { return file_ >= 0; }
  // Appends up to `octets`; false on an error.
  bool Append(std::size_t octets, std::string& out) const {
    const std::size_t before = out.size();
    out.resize(before + octets);
    ssize_t got = 0;
    do {
      got = ::read(file_, out.data() + before, octets);
    } while (got < 0 && errno == EINTR);
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got >= 0;
  }
  off_t Size() const { return ::lseek(file_, 0, SEEK_END); }
  bool SeekTo(off_t place) const { return ::lseek(file_, place, SEEK_SET) == place; }

 private:
  int file_;
};

// Chunks on their way: threads read them, the caller takes them back in order.
class Readers {
 public:
  Readers(const crypto::EcdsaP256Key& key, std::size_t threads) : key_(key) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~Readers() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      work_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  void Put(std::unique_ptr<LineChunk> chunk) {
    const std::lock_guard lock(mutex_);
    order_.push_back(std::make_shared<Job>());
    order_.back()->chunk = std::move(chunk);
    waiting_.push_back(order_.back());
    work_.notify_one();
  }
  std::size_t OnTheirWay() const { return order_.size(); }
  std::unique_ptr<LineChunk> Take() {
    const std::shared_ptr<Job> job = std::move(order_.front());
    order_.pop_front();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return job->done; });
    return std::move(job->chunk);
  }

 private:
  struct Job {
    std::unique_ptr<LineChunk> chunk;
    bool done = false;  // protected by mutex_
  };

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const std::shared_ptr<Job> job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      ReadLines(key_, *job->chunk);
      lock.lock();
      job->done = true;
      done_.notify_all();
    }
  }

  const crypto::EcdsaP256Key& key_;
  std::deque<std::shared_ptr<Job>> order_;  // the caller's thread only
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

// All files as one stream of lines.
class Verification {
 public:
  Verification(std::span<const std::filesystem::path> files, const crypto::EcdsaP256Key& key,
               const VerifyOptions& options)
      : files_(files),
        threads_(ThreadsOf(options)),
        progress_(options.progress),
        linker_(options),
        readers_(key, threads_) {}

  Result<VerifyReport> Run() {
    for (const std::filesystem::path& file : files_) {
      std::error_code unreadable;  // ReadFile() says so
      const std::uintmax_t octets = std::filesystem::file_size(file, unreadable);
      if (!unreadable) total_ += octets;
    }
    for (std::size_t file = 0; file < files_.size(); ++file) COFFER_TRY(ReadFile(file));
    return linker_.Finish();
  }

 private:
  static std::size_t ThreadsOf(const VerifyOptions& options) {
    if (options.threads != 0) return options.threads;
    return std::max(1U, std::thread::hardware_concurrency());
  }

  auto Failed(std::size_t file) const {
    return Fail(Code::kInvalid,
                "failed to read " + files_[file].string() + ": " + std::strerror(errno));
  }

  Status ReadFile(std::size_t file) {
    const OpenFile open(files_[file]);
    if (!open.Good()) return Failed(file);
    line_ = 0;
    std::string rest;
    while (true) {
      auto chunk = std::make_unique<LineChunk>();
      chunk->file = file;
      chunk->octets = std::move(rest);
      rest.clear();
      chunk->octets.reserve(chunk->octets.size() + kChunkOctets);
      const std::size_t before = chunk->octets.size();
      if (!open.Append(kChunkOctets, chunk->octets)) return Failed(file);
      const bool ended = chunk->octets.size() == before;
      const std::size_t newline = ended ? std::string::npos : chunk->octets.rfind('\n');
      if (newline == std::string::npos) {
        rest = std::move(chunk->octets);
        if (rest.size() > kMaxLine) {
          return Fail(Code::kInvalid, files_[file].string() + " is not made of lines");
        }
        if (!ended) continue;
        break;
      }
      rest = chunk->octets.substr(newline + 1);
      chunk->octets.resize(newline + 1);
      readers_.Put(std::move(chunk));
      while (readers_.OnTheirWay() > 2 * threads_) Link(*readers_.Take());
    }
    while (readers_.OnTheirWay() > 0) Link(*readers_.Take());
    if (!rest.empty()) linker_.TakeRest(rest.size(), {file, line_ + 1});
    return {};
  }

  void Link(const LineChunk& chunk) {
    for (const LineFacts& facts : chunk.lines) {
      const SpecialLine* const special =
          facts.special < 0 ? nullptr : &chunk.specials[static_cast<std::size_t>(facts.special)];
      linker_.Take(facts, special, {chunk.file, ++line_});
    }
    done_ += chunk.octets.size();
    if (progress_) progress_(done_, total_);
  }

  std::span<const std::filesystem::path> files_;
  const std::size_t threads_;
  const std::function<void(std::uint64_t, std::uint64_t)> progress_;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  ChainLinker linker_;
  Readers readers_;
  std::uint64_t line_ = 0;
};

}  // namespace

Result<VerifyReport> Verify(std::span<const std::filesystem::path> files,
                            const crypto::EcdsaP256Key& key, const VerifyOptions& options) {
  return Verification(files, key, options).Run();
}

Result<std::string> LastCheckpointLine(const std::filesystem::path& file) {
  const OpenFile open(file);
  if (!open.Good()) {
    return Fail(Code::kNotFound, "failed to read " + file.string() + ": " + std::strerror(errno));
  }
  // Reads from the end backwards, twice as far each time.
  const off_t size = open.Size();
  for (off_t window = static_cast<off_t>(kChunkOctets);; window *= 2) {
    const off_t begin = std::max<off_t>(0, size - window);
    std::string text;
    if (!open.SeekTo(begin)) break;
    while (text.size() < static_cast<std::size_t>(size - begin)) {
      const std::size_t before = text.size();
      if (!open.Append(kChunkOctets, text) || text.size() == before) break;
    }
    std::size_t end = text.rfind('\n');
    while (end != std::string::npos && end > 0) {
      const std::size_t previous = text.rfind('\n', end - 1);
      if (previous == std::string::npos && begin > 0) break;
      const std::size_t first = previous == std::string::npos ? 0 : previous + 1;
      const std::string_view line = std::string_view(text).substr(first, end - first);
      if (IsCheckpointLine(line)) return std::string(line);
      end = previous;
    }
    if (begin == 0) break;
  }
  return Fail(Code::kNotFound, file.string() + " holds no checkpoint");
}

}  // namespace coffer::audit
