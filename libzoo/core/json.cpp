// The strict reader around nlohmann's lexer: events instead of its tree builder, because that merges repeated keys in
// silence and takes quadratic time to find members of an ordered object.
#include <libzoo/core/error.h>
#include <libzoo/core/json.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_set>
#include <utility>
#include <vector>

namespace zoo {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& where, size_t offset, std::string_view message) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const size_t line = 1 + size_t(std::count(before.begin(), before.end(), '\n'));
  const size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  throw UserError(fmt::format("{}:{}:{}: {}", where, line, offset - start + 1, message));
}

// Walks the text and lets the receiver of events see how far the lexer has come.
struct Cursor {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  size_t* consumed;

  const char& operator*() const { return *at; }
  Cursor& operator++() {
    ++at;
    ++*consumed;
    return *this;
  }
  Cursor operator++(int) {
    Cursor old = *this;
    ++*this;
    return old;
  }
  bool operator==(const Cursor& other) const { return at == other.at; }
  bool operator!=(const Cursor& other) const { return at != other.at; }
};

class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::string& where, int max_depth) : text_(text), where_(where), max_depth_(max_depth) {}

  bool null() override {
    add(nullptr);
    return true;
  }
  bool boolean(bool value) override {
    add(value);
    return true;
  }
  bool number_integer(int64_t value) override {
    add(value);
    return true;
  }
  bool number_unsigned(uint64_t value) override {
    add(value);
    return true;
  }
  bool number_float(double value, const std::string&) override {
    add(value);
    return true;
  }
  bool string(std::string& value) override {
    add(std::move(value));
    return true;
  }
  bool binary(Json::binary_t&) override { return false; }
  bool start_object(size_t) override {
    open(Json::object());
    return true;
  }
  bool start_array(size_t) override {
    open(Json::array());
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }

  bool key(std::string& name) override {
    Open& object = open_.back();
    if (!object.keys.insert(name).second) {
      refuse(text_, where_, consumed, fmt::format("key {} is repeated", Json(name).dump(-1, ' ', false, Json::error_handler_t::replace)));
    }
    object.next_key = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    // nlohmann: "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while …"
    std::string_view message = e.what();
    if (auto end = message.find("column "); end != std::string_view::npos) {
      if (auto colon = message.find(": ", end); colon != std::string_view::npos) message.remove_prefix(colon + 2);
    } else if (auto bracket = message.find("] "); bracket != std::string_view::npos) {
      message.remove_prefix(bracket + 2);
    }
    std::string line(message);
    std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
    refuse(text_, where_, position > 0 ? position - 1 : 0, "not JSON: " + line);
  }

  Json root;
  size_t consumed = 0;

 private:
  struct Open {
    Json* value;
    std::unordered_set<std::string> keys;
    std::string next_key;
  };

  Json* add(Json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    Open& parent = open_.back();
    if (parent.value->is_array()) return &parent.value->emplace_back(std::move(value));
    // ordered_map's own emplace looks through all members; the keys are already known to differ.
    using Members = std::vector<std::pair<const std::string, Json>>;
    Members& members = parent.value->get_ref<Json::object_t&>();
    return &members.emplace_back(std::move(parent.next_key), std::move(value)).second;
  }

  void open(Json value) {
    if (int(open_.size()) >= max_depth_) refuse(text_, where_, consumed, fmt::format("nested deeper than {} levels", max_depth_));
    open_.push_back({add(std::move(value)), {}, {}});
  }

  std::string_view text_;
  const std::string& where_;
  int max_depth_;
  std::vector<Open> open_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& where, int max_depth) {
  if (auto nul = text.find('\0'); nul != std::string_view::npos) refuse(text, where, nul, "a NUL byte is not JSON");
  if (text.empty()) refuse(text, where, 0, "empty, not JSON");
  if (std::strchr(" \t\r\n\xEF", text[0])) refuse(text, where, 0, "bytes before the JSON document");
  Builder builder(text, where, max_depth);
  Json::sax_parse(Cursor{text.data(), &builder.consumed}, Cursor{text.data() + text.size(), &builder.consumed}, &builder,
                  nlohmann::detail::input_format_t::json, true);
  return std::move(builder.root);
}

}  // namespace zoo
