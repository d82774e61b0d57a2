#include "test/reference/case.h"

#include "test/reference/compare.h"

#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tensor.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace zoo::reference {
namespace {

double parse_number(const std::string& text, const std::string& what) {
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw BindingError(fmt::format("{} is no number: '{}'", what, text));
  return value;
}

double to_number(const Json& value, const std::string& what) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return parse_number(value.get<std::string>(), what);
  throw BindingError(fmt::format("{} is no number: {}", what, value.dump()));
}

int64_t to_integer(const Json& value, const std::string& what) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>()) return int64_t(value.get<double>());
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    const char* last = text.data() + text.size();
    int64_t number = 0;
    if (auto [end, error] = std::from_chars(text.data(), last, number); error == std::errc() && end == last) return number;
    uint64_t large = 0;
    if (auto [end, error] = std::from_chars(text.data(), last, large); error == std::errc() && end == last) return int64_t(large);
  }
  throw BindingError(fmt::format("{} is no integer: {}", what, value.dump()));
}

template <class Convert>
auto to_list(const Json& list, const std::string& what, Convert convert) {
  if (!list.is_array()) throw BindingError(fmt::format("{} is no list: {}", what, list.dump()));
  std::vector<decltype(convert(list, what))> result;
  for (const auto& item : list) result.push_back(convert(item, what));
  return result;
}

std::string to_text(const Json& value, const std::string& what) {
  if (!value.is_string()) throw BindingError(fmt::format("{} is no text: {}", what, value.dump()));
  return value.get<std::string>();
}

}  // namespace

std::optional<Case> Case::read(const std::filesystem::path& path) {
  auto file = io::read_safetensors(io::map_file(path), path.string());
  auto op = file.metadata.find("op");
  if (op == file.metadata.end()) return std::nullopt;

  auto metadata = [&](const std::string& key, const std::string& fallback) {
    auto found = file.metadata.find(key);
    return found == file.metadata.end() ? fallback : found->second;
  };
  Case result;
  result.path_ = path;
  result.op_ = op->second;
  result.options_ = parse_json(metadata("options", "{}"), path.string() + " (options)");
  if (!result.options_.is_object()) throw UserError(fmt::format("{}: options is no JSON object", path.string()));
  const auto tolerance = [&](const std::string& key) {
    const double value = parse_number(metadata(key, "0"), key);
    if (!(value >= 0)) throw UserError(fmt::format("{}: {} must be 0 or more, got {}", path.string(), key, value));
    return value;
  };
  result.rtol_ = tolerance("rtol");
  result.atol_ = tolerance("atol");
  result.expects_error_ = metadata("expect", "") == "error";
  result.tensors_ = std::move(file.tensors);
  return result;
}

const Json& Case::option(const std::string& key) const {
  if (!has(key)) throw BindingError(fmt::format("the case has no option '{}'", key));
  return options_.at(key);
}

int64_t Case::integer(const std::string& key, std::optional<int64_t> fallback) const {
  return fallback && !has(key) ? *fallback : to_integer(option(key), key);
}

double Case::number(const std::string& key, std::optional<double> fallback) const {
  return fallback && !has(key) ? *fallback : to_number(option(key), key);
}

bool Case::flag(const std::string& key, std::optional<bool> fallback) const {
  if (fallback && !has(key)) return *fallback;
  const Json& value = option(key);
  if (!value.is_boolean()) throw BindingError(fmt::format("{} is neither true nor false: {}", key, value.dump()));
  return value.get<bool>();
}

std::string Case::text(const std::string& key, std::optional<std::string> fallback) const {
  return fallback && !has(key) ? *fallback : to_text(option(key), key);
}

std::vector<int64_t> Case::integers(const std::string& key) const { return to_list(option(key), key, to_integer); }
std::vector<double> Case::numbers(const std::string& key) const { return to_list(option(key), key, to_number); }
std::vector<std::string> Case::texts(const std::string& key) const { return to_list(option(key), key, to_text); }
std::filesystem::path Case::file(const std::string& key) const { return path_.parent_path() / text(key); }

std::vector<std::string> Case::input_names() const {
  std::vector<std::string> names;
  for (const auto& [name, array] : tensors_)
    if (name.starts_with("in/")) names.push_back(name.substr(3));
  return names;
}

const Array& Case::array(const std::string& name) const {
  auto found = tensors_.find("in/" + name);
  if (found == tensors_.end()) throw BindingError(fmt::format("the case has no input '{}'", name));
  return found->second;
}

at::Tensor Case::input(const std::string& name) const { return io::to_tensor(array(name)); }

std::map<std::string, at::Tensor> Case::weights() const {
  constexpr std::string_view prefix = "weights/";
  std::map<std::string, at::Tensor> result;
  for (const auto& name : input_names())
    if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), input(name));
  return result;
}

void Case::expect(const std::string& name, const Array& got) {
  if (!answered_.insert(name).second) throw BindingError(fmt::format("'{}' is answered twice", name));
  auto want = tensors_.find("out/" + name);
  if (want == tensors_.end()) return;
  auto difference = reference::difference(got, want->second, tolerance_for(op_, name, rtol_, atol_));
  if (!difference.empty()) differences_.push_back(fmt::format("{}: {}", name, difference));
}

void Case::expect(const std::string& name, const at::Tensor& got) {
  if (!got.defined()) throw BindingError(fmt::format("the answer '{}' is an undefined tensor", name));
  expect(name, io::to_array(got));
}

void Case::expect(const std::string& name, const std::vector<int64_t>& got) {
  expect(name, Array::of<int64_t>({int64_t(got.size())}, got));
}

void Case::expect(const std::string& name, const std::vector<double>& got) { expect(name, Array::of<double>({int64_t(got.size())}, got)); }

std::vector<std::string> Case::complaints() const {
  auto result = differences_;
  for (const auto& [name, array] : tensors_)
    if (name.starts_with("out/") && !answered_.contains(name.substr(4))) result.push_back(fmt::format("{}: no answer", name.substr(4)));
  return result;
}

}  // namespace zoo::reference
