#include <libzoo/core/error.h>
#include <libzoo/io/npy_header.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <optional>

namespace zoo::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxRank = 64;  // numpy's own

struct TypeCode {
  std::string_view code;
  DType dtype;
};
constexpr TypeCode kTypes[] = {{"b1", DType::boolean}, {"i1", DType::i8},  {"i2", DType::i16}, {"i4", DType::i32},
                               {"i8", DType::i64},     {"u1", DType::u8},  {"u2", DType::u16}, {"u4", DType::u32},
                               {"u8", DType::u64},     {"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64}};

// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class Literal {
 public:
  Literal(std::string_view text, const ByteReader& file) : text_(text), file_(file) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (next() != '}') {
      const std::string_view key = string();
      bool* seen = key == "descr" ? &descr : key == "fortran_order" ? &order : key == "shape" ? &shape : nullptr;
      if (!seen) fail(fmt::format("unknown key '{}'", printable(key)));
      if (*seen) fail(fmt::format("key '{}' appears twice", key));
      *seen = true;
      expect(':');
      if (seen == &descr)
        type(header);
      else if (seen == &order)
        header.fortran_order = truth();
      else
        header.shape = tuple();
      if (next() != ',') break;
      ++at_;
    }
    expect('}');
    if (next() != '\0' || at_ != text_.size()) fail("something follows the dict");
    if (!descr || !order || !shape) fail("the keys descr, fortran_order and shape are needed");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view message) const { file_.fail(fmt::format("npy header, character {}: {}", at_, message)); }

  static std::string printable(std::string_view text) { return std::string(is_utf8(text) ? text.substr(0, 40) : "?"); }

  char next() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\f'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expect(char wanted) {
    if (next() != wanted) fail(fmt::format("expected '{}'", wanted));
    ++at_;
  }

  std::string_view string() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail("expected a string");
    const size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' || text_[at_] == '\n') fail("escapes and line breaks in strings are not supported");
      ++at_;
    }
    if (at_ == text_.size()) fail("a string is not closed");
    return text_.substr(begin, at_++ - begin);
  }

  void type(NpyHeader& header) {
    if (next() == '[') fail("structured arrays are not supported");
    const std::string_view descr = string();
    const char order = descr.empty() ? ' ' : descr[0];
    if (order == '<' || order == '>' || order == '|' || order == '=') {
      for (const auto& [code, dtype] : kTypes) {
        if (descr.substr(1) != code) continue;
        header.dtype = dtype;
        header.big_endian = order == '>';
        return;
      }
    }
    fail(fmt::format("dtype '{}' is not supported (b1, i1 to i8, u1 to u8, f2, f4 and f8 with a byte order are)", printable(descr)));
  }

  bool truth() {
    next();
    for (std::string_view word : {"True", "False"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    fail("expected True or False");
  }

  std::vector<int64_t> tuple() {
    std::vector<int64_t> values;
    bool comma = false;
    expect('(');
    while (next() != ')') {
      if (values.size() == kMaxRank) fail(fmt::format("more than {} dimensions", kMaxRank));
      values.push_back(integer());
      comma = next() == ',';
      if (!comma) break;
      ++at_;
    }
    expect(')');
    if (values.size() == 1 && !comma) fail("a shape of one dimension is written (n,)");
    return values;
  }

  int64_t integer() {
    if (next() == '-') fail("a dimension is negative");
    const size_t begin = at_;
    int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value)) {
        fail("a dimension does not fit 63 bits");
      }
      ++at_;
    }
    if (at_ == begin || (text_[begin] == '0' && at_ - begin > 1)) fail("expected a dimension");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
    return value;
  }

  std::string_view text_;
  const ByteReader& file_;
  size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(ByteReader& file) {
  if (file.text(std::min(file.left(), kMagic.size()), "") != kMagic) file.fail("no npy file: it does not begin with \\x93NUMPY");
  const int major = file.byte("the version"), minor = file.byte("the version");
  if (major < 1 || major > 3 || minor != 0)
    file.fail(fmt::format("npy version {}.{} is not supported (1.0, 2.0 and 3.0 are)", major, minor));
  const uint64_t size = major == 1 ? file.little<uint16_t>("the header's length") : file.little<uint32_t>("the header's length");
  const std::string_view text = file.text(size, "the header");
  if (text.empty() || text.back() != '\n') file.fail("the npy header does not end with a newline");
  if (major == 3 && !is_utf8(text)) file.fail("the npy header is not UTF-8");
  return Literal(text, file).parse();
}

std::string make_npy_header(DType dtype, const std::vector<int64_t>& shape) {
  std::optional<std::string_view> code;
  for (const auto& type : kTypes) {
    if (type.dtype == dtype) code = type.code;
  }
  if (!code) throw Error(fmt::format("npy has no {}", name(dtype)), "convert to F32 first");
  std::string dims;
  for (size_t i = 0; i < shape.size(); ++i)
    dims += fmt::format("{}{}{}", i ? " " : "", shape[i], i + 1 < shape.size() || i == 0 ? "," : "");
  std::string text =
      fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}", item_size(dtype) == 1 ? '|' : '<', *code, dims);
  const size_t before = kMagic.size() + 4;
  text.resize((before + text.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  text += '\n';
  std::string header(kMagic);
  header += {'\1', '\0', char(text.size() & 0xFF), char(text.size() >> 8)};
  return header + text;
}

}  // namespace zoo::io
