// One reference case: the inputs, options and expected outputs of one op, read from a safetensors file whose metadata
// names the op. ops_<system>.cpp binds op names to the public API; runner.cpp (zoo-reference) runs them:
//
//   OpTable bit_ops() {
//     return {{"bit.std_conv2d", [](Case& c) { c.expect("weight", standardize(c.input("weight"), c.number("eps"))); }}};
//   }
//
// Tolerances come from the case and never from a binding.
#pragma once

#include <ATen/core/Tensor.h>
#include <libzoo/core/array.h>
#include <libzoo/core/json.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace zoo::reference {

// A binding that asks for what the case does not have, or answers twice. Not a zoo::Error, so that it never passes for
// the refusal that a case with expect = error waits for.
class BindingError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

class Case {
 public:
  // Nothing if the file has no `op` in its metadata. Throws zoo::Error if it is no safetensors file, or a bad case.
  static std::optional<Case> read(const std::filesystem::path& path);

  const std::string& op() const { return op_; }
  std::string name() const { return path_.stem().string(); }
  const std::filesystem::path& path() const { return path_; }
  bool expects_error() const { return expects_error_; }

  // Options. Numbers may be strings ("nan", "-inf", "18446744073709551615"). An integer above 2^63 - 1 comes as the
  // int64 of the same bits. Without `fallback`, a missing key is a BindingError.
  const Json& options() const { return options_; }
  bool has(const std::string& key) const { return options_.contains(key) && !options_.at(key).is_null(); }
  int64_t integer(const std::string& key, std::optional<int64_t> fallback = {}) const;
  double number(const std::string& key, std::optional<double> fallback = {}) const;
  bool flag(const std::string& key, std::optional<bool> fallback = {}) const;
  std::string text(const std::string& key, std::optional<std::string> fallback = {}) const;
  std::vector<int64_t> integers(const std::string& key) const;
  std::vector<double> numbers(const std::string& key) const;
  std::vector<std::string> texts(const std::string& key) const;
  std::filesystem::path file(const std::string& key) const;  // the file beside the case that options[key] names

  // Tensors in/<name>.
  bool has_input(const std::string& name) const { return tensors_.contains("in/" + name); }
  std::vector<std::string> input_names() const;  // without "in/"
  const Array& array(const std::string& name) const;
  at::Tensor input(const std::string& name) const;
  std::map<std::string, at::Tensor> weights() const;  // in/weights/<name>

  // The op's answer, compared at once with out/<name>; a name that the case does not list is not compared.
  void expect(const std::string& name, const Array& got);
  void expect(const std::string& name, const at::Tensor& got);
  void expect(const std::string& name, int64_t got) { expect(name, Array::scalar(got)); }
  void expect(const std::string& name, int got) { expect(name, int64_t(got)); }
  void expect(const std::string& name, double got) { expect(name, Array::scalar(got)); }
  void expect(const std::string& name, bool got) { expect(name, Array::scalar(got)); }
  void expect(const std::string& name, const std::string& got) { expect(name, Array::text(got)); }
  void expect(const std::string& name, const char* got) { expect(name, Array::text(got)); }
  void expect(const std::string& name, const std::vector<int64_t>& got);
  void expect(const std::string& name, const std::vector<double>& got);
  bool wants(const std::string& name) const { return tensors_.contains("out/" + name); }

  // What is wrong with the answers so far: differences, then outputs that no expect() answered.
  std::vector<std::string> complaints() const;

 private:
  const Json& option(const std::string& key) const;

  std::filesystem::path path_;
  std::string op_;
  Json options_;
  double rtol_ = 0, atol_ = 0;
  bool expects_error_ = false;
  Arrays tensors_;
  std::set<std::string> answered_;
  std::vector<std::string> differences_;
};

using Op = std::function<void(Case&)>;
using OpTable = std::map<std::string, Op>;

OpTable bit_ops();
OpTable echo_ops();
OpTable image_ops();
OpTable io_ops();
OpTable offline_rl_ops();
OpTable rl_ops();
OpTable simclr_ops();

}  // namespace zoo::reference
