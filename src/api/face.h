#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/constant_document.h"
#include "api/endpoint.h"
#include "api/json_value.h"
#include "api/route.h"
#include "coffer/auth/token_store.h"
#include "coffer/base/error.h"
#include "coffer/base/result.h"
#include "coffer/http/message.h"

namespace coffer::api {

// The caller of a request, as a face has found it.
struct Caller {
  std::string_view credential;  // the trail records its hash; a part of the request
  // These are null if the caller is unknown.
  std::shared_ptr<const auth::TokenEntry> token = nullptr;
  std::shared_ptr<const auth::AccessRules> rules = nullptr;
  Status unavailable = {};  // why it cannot be known now
};

// The operation that a request asks for, as a face has found it.
struct Finding {
  // The path that policies and the trail use: "transit/encrypt/k". It is a part of the request's
  // path, or of `made_path`. Empty: the request is not for this face.
  std::string_view path;
  std::shared_ptr<const std::string> made_path;
  Result<Verb> verb = Verb::kRead;
  // The endpoint that the path leads to; if there is none, `nowhere` says why.
  std::optional<Target> target;
  Status nowhere;
  Status unacceptable;  // why this face refuses the request, whatever its path
  // The page of help that answers every known caller, instead of the operation. Null: no help was
  // asked for.
  const ConstantDocument* help = nullptr;
  bool unauthenticated_only = false;  // only endpoints that need no token accept the verb
};

// An answer that a face writes around an operation's data.
struct Answer {
  std::string_view request_id;
  std::string_view engine;  // its name
  const Endpoint& endpoint;
  const Reply& reply;
  const std::vector<std::string>& warnings;
  std::size_t data_at = 0;  // the place in the body where the data begins
};

// A wire contract over the engines. It decides how a caller is authenticated, how an operation is
// found, how its parameters are read, how an answer and an error are written, and which path is
// recorded in the trail. Policies, turns, the trail and the engines are the same for every face.
// Immutable, for any thread; it waits for nothing.
class Face {
 public:
  virtual ~Face() = default;

  virtual Caller Identify(const http::Request& request) const = 0;
  // Finds the operation; `request` may be a head without its body.
  virtual Finding Find(const http::Request& request) const = 0;
  virtual Result<JsonValue> ReadParameters(const http::Request& request, Verb verb) const = 0;
  // An upper bound, roughly, of the memory that the parameters take.
  virtual std::size_t MemoryOfParameters(const http::Request& request) const = 0;
  // True if the body is the parameters as JSON: the trail then records its text.
  virtual bool BodyIsParameters(const http::Request& request, Verb verb) const = 0;

  // Writes the text before an operation's data; EndAnswer() writes the text after it. Both write
  // nothing unless a face overrides them. If the reply is secret, no copy of the body may stay in
  // freed memory.
  virtual void BeginAnswer(const Endpoint& endpoint, std::string_view request_id,
                           std::string& body) const {
    static_cast<void>(endpoint), static_cast<void>(request_id), static_cast<void>(body);
  }
  // Returns by how many bytes the data has moved.
  virtual std::size_t EndAnswer(const Answer& answer, std::string& body) const {
    static_cast<void>(answer), static_cast<void>(body);
    return 0;
  }
  // Writes the status, the body and the type of an error. The response is empty before.
  virtual void WriteError(const Error& error, http::Response& response) const = 0;

  // Writes the body and the type of an error that the http room found before the request was
  // complete.
  virtual void WriteRefusal(std::string_view text, http::Response& response) const = 0;

  // Returns the path under which the trail records a target that was refused before it was read.
  virtual std::string_view PathOfTarget(std::string_view target) const = 0;
};

}  // namespace coffer::api
