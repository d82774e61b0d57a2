#include <libzoo/core/error.h>
#include <libzoo/io/shards.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace zoo::io {
namespace {

constexpr uint64_t kMostNames = 1'000'000;

std::optional<uint64_t> decimal(std::string_view digits) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || digits.size() > 18 || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

class Expansion {
 public:
  explicit Expansion(std::string_view pattern) : pattern_(pattern) {}

  std::vector<std::string> run() {
    std::vector<std::string> names{""};
    for (size_t at = 0; at < pattern_.size();) {
      const size_t open = std::min(pattern_.find_first_of("{}", at), pattern_.size());
      for (auto& name : names) name += pattern_.substr(at, open - at);
      if (open == pattern_.size()) break;
      ++brace_;
      const size_t close = pattern_.find_first_of("{}", open + 1);
      if (pattern_[open] == '}') fail("'}' closes nothing");
      if (close == std::string_view::npos) fail("'{' is not closed");
      if (pattern_[close] == '{') fail("it holds another brace");
      names = combine(names, choices(pattern_.substr(open + 1, close - open - 1)));
      at = close + 1;
    }
    return names;
  }

 private:
  [[noreturn]] void fail(std::string_view message) const {
    throw UserError(fmt::format("'{}': brace {}: {}", pattern_, brace_, message), "write {000..123} or {train,test}");
  }

  std::vector<std::string> choices(std::string_view inside) const {
    if (const auto dots = inside.find(".."); dots != std::string_view::npos) return range(inside.substr(0, dots), inside.substr(dots + 2));
    std::vector<std::string> result;
    for (size_t begin = 0, comma = 0; comma != std::string_view::npos; begin = comma + 1) {
      comma = inside.find(',', begin);
      result.emplace_back(inside.substr(begin, comma - begin));
    }
    if (result.size() == 1) fail(fmt::format("{{{}}} is neither a range nor a list", inside));
    return result;
  }

  std::vector<std::string> range(std::string_view from, std::string_view to) const {
    const auto first = decimal(from), last = decimal(to);
    if (!first || !last) fail(fmt::format("{{{}..{}}} is no range of numbers", from, to));
    const bool zeros = (from.size() > 1 && from[0] == '0') || (to.size() > 1 && to[0] == '0');
    const size_t width = zeros ? std::max(from.size(), to.size()) : 0;
    const uint64_t count = std::max(*first, *last) - std::min(*first, *last) + 1;
    check_count(count);
    std::vector<std::string> result;
    for (uint64_t i = 0; i < count; ++i) result.push_back(fmt::format("{:0{}}", *first <= *last ? *first + i : *first - i, width));
    return result;
  }

  std::vector<std::string> combine(const std::vector<std::string>& heads, const std::vector<std::string>& tails) const {
    check_count(heads.size() * tails.size());  // each at most a million
    std::vector<std::string> result;
    for (const auto& head : heads) {
      for (const auto& tail : tails) result.push_back(head + tail);
    }
    return result;
  }

  void check_count(uint64_t names) const {
    if (names > kMostNames) fail(fmt::format("it gives {} names, at most {} are allowed", names, kMostNames));
  }

  std::string_view pattern_;
  int brace_ = 0;
};

}  // namespace

std::vector<std::string> expand_shards(std::string_view pattern) {
  if (pattern.starts_with("pipe:"))
    throw UserError(fmt::format("'{}': commands are never run", pattern), "run it yourself and name the files it gives");
  if (pattern.find("://") != std::string_view::npos) throw UserError(fmt::format("'{}' is no file", pattern), "download the shards first");
  return Expansion(pattern).run();
}

}  // namespace zoo::io
