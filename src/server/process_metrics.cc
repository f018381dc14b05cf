// The metrics of the process that every Prometheus client library gives, under the names that they
// all use.

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "server/metric_sources.h"

namespace coffer::server {
namespace {

using metrics::Registry;
using metrics::Type;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double CpuSeconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return Seconds(used.ru_utime) + Seconds(used.ru_stime);
}

// The field of /proc/self/statm, in pages.
double Pages(int field) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                             &std::fclose);
  unsigned long size = 0;
  unsigned long resident = 0;
  if (file == nullptr || std::fscanf(file.get(), "%lu %lu", &size, &resident) != 2) return 0;
  return static_cast<double>(field == 0 ? size : resident) *
         static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double OpenDescriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error)) {
    ++count;
  }
  return count - 1;  // the directory's own
}

double MaxDescriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void AddProcessMetrics(Registry& registry, const api::ServerInfo& info) {
  registry.Add({"coffer_build_info", "Always 1; the version is a label.", Type::kGauge},
               [version = info.version](metrics::Samples& samples) {
                 samples.Add(1.0, {{"version", version}});
               });
  registry.AddValue(
      {"process_cpu_seconds_total", "Time on processors, user and system.", Type::kCounter},
      CpuSeconds);
  registry.AddValue({"process_resident_memory_bytes", "Memory in use.", Type::kGauge},
                    [] { return Pages(1); });
  registry.AddValue({"process_virtual_memory_bytes", "Address space in use.", Type::kGauge},
                    [] { return Pages(0); });
  registry.AddValue({"process_open_fds", "Open file descriptors.", Type::kGauge}, OpenDescriptors);
  registry.AddValue({"process_max_fds", "File descriptors that may be open.", Type::kGauge},
                    MaxDescriptors);
  const double start = static_cast<double>(UnixNanoseconds(SystemClock().Now())) / 1e9;
  registry.AddValue(
      {"process_start_time_seconds", "When the server started, in Unix time.", Type::kGauge},
      [start] { return start; });
}

}  // namespace coffer::server
