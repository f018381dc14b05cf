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

// Who calls, as a face has found out.
struct Caller {
  std::string_view credential;                    // what the trail hashes; a part of the request
  std::shared_ptr<const auth::TokenEntry> token;  // null: nobody that is known
};

// What a request asks for, as a face has found out.
struct Finding {
  // The path that policies and the trail name: "transit/encrypt/k". A part of the request's, or of
  // `made_path`. Empty: the request is none of the face's.
  std::string_view path;
  std::shared_ptr<const std::string> made_path;
  Result<Verb> verb = Verb::kRead;
  // Where the path leads; nothing: `nowhere` says why.
  std::optional<Target> target;
  Status nowhere;
  Status unacceptable;  // what this face does not do, whatever the path
  // The answer for every caller that is known, in place of the operation's. Null: there is none.
  const ConstantDocument* help = nullptr;
  bool unauthenticated_only = false;  // the verb is taken at endpoints that need no token, else not
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

// A wire contract over the engines: how a caller is authenticated, how an operation is found, how
// its parameters are read, how an answer and an error are written, and which path the trail has.
// Policies, turns, the trail and the engines are the same behind each. Immutable, for any thread;
// it waits for nothing.
class Face {
 public:
  virtual ~Face() = default;

  virtual Caller Identify(const http::Request& request) const = 0;
  // A head without its body will do.
  virtual Finding Find(const http::Request& request) const = 0;
  virtual Result<JsonValue> ReadParameters(const http::Request& request, Verb verb) const = 0;
  // How much memory they may take at most, about.
  virtual std::size_t MemoryOfParameters(const http::Request& request) const = 0;
  // Tells whether the body is the parameters, as JSON: then the trail has its text.
  virtual bool BodyIsParameters(const http::Request& request, Verb verb) const = 0;

  // What stands before and behind an operation's data: nothing, unless a face says otherwise. Where
  // the reply is secret, no copy of the body is left behind.
  virtual void BeginAnswer(const Endpoint& endpoint, std::string_view request_id,
                           std::string& body) const {
    static_cast<void>(endpoint), static_cast<void>(request_id), static_cast<void>(body);
  }
  // Returns by how many bytes the data has moved.
  virtual std::size_t EndAnswer(const Answer& answer, std::string& body) const {
    static_cast<void>(answer), static_cast<void>(body);
    return 0;
  }
  // Status, body and type. What the response had is gone.
  virtual void WriteError(const Error& error, http::Response& response) const = 0;

  // An error that http met before the request was whole: its body and type.
  virtual void WriteRefusal(std::string_view text, http::Response& response) const = 0;

  // A target that was refused before it was read, as the trail names it.
  virtual std::string_view PathOfTarget(std::string_view target) const = 0;
};

}  // namespace coffer::api
