// The exception of the library: what went wrong, and what the user can do about it.
//
//   throw zoo::Error(fmt::format("{}: header is {} bytes, the file only {}", path, n, size), "copy the file again");
//
// Programs print `error: <what>` and, if there is one, `hint: <hint>`, and exit with 2 for a UserError, else with 1.
#pragma once

#include <stdexcept>
#include <string>

namespace zoo {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, std::string hint = {}) : std::runtime_error(what), hint_(std::move(hint)) {}
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string hint_;
};

// The user's mistake (a bad file, option or combination), as opposed to a defect or a failing machine.
class UserError : public Error {
 public:
  using Error::Error;
};

}  // namespace zoo
