// What is wrong with the tensors of a file, gathered over all of them and told at once.
#pragma once

#include <string>
#include <vector>

namespace zoo::bit {

class Complaints {
 public:
  explicit Complaints(std::string where) : where_(std::move(where)) {}
  void add(std::string complaint) { all_.push_back(std::move(complaint)); }
  // Throws UserError that opens with `where` and lists the first twenty.
  void throw_if_any(const std::string& hint = {}) const;

 private:
  std::string where_;
  std::vector<std::string> all_;
};

}  // namespace zoo::bit
