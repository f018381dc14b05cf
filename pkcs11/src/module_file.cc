#include "module_file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace coffer::pkcs11 {
namespace {

class FileDescriptor final {
 public:
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

std::string ErrnoText(int number) { return std::generic_category().message(number); }

Status CheckLibrary(const std::filesystem::path& library) {
  // A bare name would be looked up along the loader's path, which is not what was configured.
  if (!library.is_absolute()) {
    return Fail(Code::kInvalid, "the pkcs11 module must be named by an absolute path, not \"" +
                                    library.string() + "\"");
  }
  struct stat status {};
  if (::stat(library.c_str(), &status) != 0) {
    const int number = errno;
    return Fail(Code::kNotFound, "failed to find the pkcs11 module " + library.string() + ": " +
                                     ErrnoText(number) +
                                     "; install the token's package or correct the path");
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail(Code::kInvalid, "the pkcs11 module " + library.string() +
                                    " is not a file; name the shared library itself");
  }
  return {};
}

Status CopyLibrary(const std::filesystem::path& library, const std::filesystem::path& copy_to) {
  const auto failed = [&](const char* verb) {
    const int number = errno;
    return Fail(Code::kInvalid, "failed to " + std::string(verb) + " the pkcs11 module " +
                                    library.string() + " to " + copy_to.string() + ": " +
                                    ErrnoText(number));
  };
  const FileDescriptor in(::open(library.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return failed("read and copy");
  struct stat status {};
  if (::fstat(in.get(), &status) != 0) return failed("read and copy");
  ::unlink(copy_to.c_str());  // what a killed predecessor left
  const FileDescriptor out(
      ::open(copy_to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700));
  if (out.get() < 0) return failed("copy");
  for (off_t left = status.st_size; left > 0;) {
    const ssize_t sent = ::sendfile(out.get(), in.get(), nullptr, static_cast<std::size_t>(left));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return failed("copy");
    if (sent == 0) break;  // it shrank under us: the loader will say so
    left -= sent;
  }
  return {};
}

// dlopen knows an open library by the name it was opened with, even when the file is gone; opening
// another file under that name would quietly give the first one again.
bool IsLoaded(const std::filesystem::path& path) {
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  ::dlclose(handle);
  return true;
}

std::string LoaderText() {
  const char* const text = ::dlerror();
  return text == nullptr ? "unknown reason" : text;
}

}  // namespace

Result<CK_FUNCTION_LIST*> OpenModuleFile(const std::filesystem::path& library,
                                         const std::filesystem::path& copy_to) {
  COFFER_TRY(CheckLibrary(library));
  const bool copied = !copy_to.empty();
  if (copied) {
    if (!copy_to.is_absolute() || IsLoaded(copy_to)) {
      return Fail(Code::kInvalid,
                  "the copy of the pkcs11 module needs an absolute path not used "
                  "before in this process, not " +
                      copy_to.string());
    }
    COFFER_TRY(CopyLibrary(library, copy_to));
  }
  const std::filesystem::path& opened = copied ? copy_to : library;
  void* const handle = ::dlopen(opened.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (copied) ::unlink(copy_to.c_str());
  if (handle == nullptr) {
    return Fail(Code::kInvalid, "failed to load the pkcs11 module " + library.string() + ": " +
                                    LoaderText() +
                                    "; it must be a shared library of this machine's "
                                    "kind");
  }
  const auto get_list =
      reinterpret_cast<CK_C_GetFunctionList>(::dlsym(handle, "C_GetFunctionList"));
  CK_FUNCTION_LIST* list = nullptr;
  if (get_list == nullptr || get_list(&list) != CKR_OK || list == nullptr) {
    return Fail(Code::kInvalid, "the library " + library.string() +
                                    " is not a pkcs11 module: it offers no function list; correct "
                                    "the path");
  }
  return list;
}

}  // namespace coffer::pkcs11
