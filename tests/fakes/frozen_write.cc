// Loaded into a server before its libraries: writes to one file do not return while another one is
// there, as on a file system that is frozen. COFFER_TEST_FROZEN names the first, the other has
// ".frozen" after it; one with ".begun" after it appears with the first write that waits.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

bool IsFrozen(int file) {
  static const char* const name = std::getenv("COFFER_TEST_FROZEN");
  if (name == nullptr) return false;
  struct stat written {};
  struct stat wanted {};
  if (::fstat(file, &written) != 0 || ::stat(name, &wanted) != 0) return false;
  const bool same = written.st_dev == wanted.st_dev && written.st_ino == wanted.st_ino;
  return same && ::access((std::string(name) + ".frozen").c_str(), F_OK) == 0;
}

void WaitForThaw(int file) {
  const std::string begun = std::string(std::getenv("COFFER_TEST_FROZEN")) + ".begun";
  ::close(::open(begun.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  while (IsFrozen(file)) ::poll(nullptr, 0, 10);  // there is no event for a file that goes
}

}  // namespace

extern "C" ssize_t write(int file, const void* data, size_t size) {
  using Write = ssize_t (*)(int, const void*, size_t);
  static const auto real = reinterpret_cast<Write>(::dlsym(RTLD_NEXT, "write"));
  if (IsFrozen(file)) WaitForThaw(file);
  return real(file, data, size);
}
