#include "server/token/trusted_path.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <system_error>

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // the kernel's own bound

std::string UserName(uid_t user) {
  const passwd* const entry = ::getpwuid(user);
  return entry == nullptr ? std::to_string(user) : entry->pw_name;
}

std::string GroupName(gid_t group) {
  const ::group* const entry = ::getgrgid(group);
  return entry == nullptr ? std::to_string(group) : entry->gr_name;
}

// The fault of one file, link or directory on the path; empty if it has none. `inner`: it is not
// the last one.
std::string Fault(const fs::path& place, const struct stat& found, bool inner) {
  const std::string name = place.string();
  const uid_t self = ::geteuid();
  if (found.st_uid != 0 && found.st_uid != self) {
    const std::string owner = UserName(found.st_uid);
    return name + " belongs to " + owner + ", not to root" +
           (self == 0 ? "" : " or to " + UserName(self)) +
           ", who runs this: change its owner, or run this as " + owner;
  }
  if (S_ISLNK(found.st_mode) || (inner && (found.st_mode & S_ISVTX) != 0)) return "";
  if ((found.st_mode & S_IWOTH) != 0) {
    return "everybody can write " + name + ": chmod o-w " + name;
  }
  if ((found.st_mode & S_IWGRP) != 0 && found.st_gid != 0) {
    return "the group " + GroupName(found.st_gid) + " can write " + name + ": chmod g-w " + name;
  }
  return "";
}

// Puts the parts of `path` before those that are left; an absolute one begins with "/".
void Prepend(const fs::path& path, std::deque<fs::path>& left) {
  std::deque<fs::path> parts;
  for (const fs::path& part : path) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  left.insert(left.begin(), parts.begin(), parts.end());
}

}  // namespace

// Part by part, as the kernel goes: each directory is judged before what stands in it is believed.
Status CheckTrustedPath(std::string_view what, const fs::path& path) {
  const auto refuse = [&](const std::string& why) {
    return Fail(Code::kInvalid, std::string(what) + " " + path.string() + ": " + why);
  };
  std::error_code error;
  fs::path place;
  std::deque<fs::path> left;
  Prepend(fs::absolute(path, error), left);
  if (error) return refuse("the working directory is gone: name it by an absolute path");
  for (int links = 0; !left.empty();) {
    const fs::path part = left.front();
    left.pop_front();
    const fs::path next = part == ".." ? place.parent_path() : place / part;
    struct stat found {};
    if (::lstat(next.c_str(), &found) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return refuse("failed to look at " + next.string() + ": " + std::strerror(errno));
    }
    if (const std::string fault = Fault(next, found, !left.empty()); !fault.empty()) {
      return refuse(fault);
    }
    if (!S_ISLNK(found.st_mode)) {
      place = next;
      continue;
    }
    const fs::path target = fs::read_symlink(next, error);
    if (error || ++links > kMaxLinks) return refuse("the link " + next.string() + " has no end");
    Prepend(target, left);
  }
  return {};
}

}  // namespace coffer::server
