#include "coffer/base/logger.h"

namespace coffer {
namespace {

thread_local std::string_view current;

}  // namespace

LoggedRequest::LoggedRequest(std::string_view id) : before_(std::exchange(current, id)) {}
LoggedRequest::~LoggedRequest() { current = before_; }
std::string_view LoggedRequest::Current() { return current; }

}  // namespace coffer
