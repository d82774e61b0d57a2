#include <libzoo/io/image_file.h>

#include <libzoo/core/error.h>
#include <libzoo/io/bytes.h>

#include <fmt/format.h>

#include <string_view>

namespace zoo::io {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kJpeg = "\xff\xd8\xff"sv, kPng = "\x89PNG\r\n\x1a\n"sv;

struct Foreign {
  std::string_view name, opening;
  size_t offset = 0;
};

constexpr Foreign kForeign[] = {{"a GIF picture", "GIF8"},
                                {"a TIFF picture", "II*\0"sv},
                                {"a TIFF picture", "MM\0*"sv},
                                {"a WebP picture", "WEBP", 8},
                                {"a HEIC or AVIF picture", "ftyp", 4},
                                {"a JPEG 2000 picture", "\0\0\0\x0cjP"sv},
                                {"a PDF document", "%PDF"},
                                {"a ZIP archive", "PK\3\4"},
                                {"gzip data", "\x1f\x8b"},
                                {"a web page", "<"},
                                {"a BMP picture", "BM"}};

enum class Kind { jpeg, png };

std::string_view text_of(std::span<const uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

bool is_jpeg(std::span<const uint8_t> bytes) { return text_of(bytes).starts_with(kJpeg); }

bool is_image(std::span<const uint8_t> bytes) { return is_jpeg(bytes) || text_of(bytes).starts_with(kPng); }

namespace {

Kind kind_of(std::span<const uint8_t> bytes, const std::string& where) {
  const std::string_view text = text_of(bytes);
  if (text.empty()) throw UserError(fmt::format("{}: the file is empty, a JPEG or PNG picture was expected", where));
  if (is_jpeg(bytes)) return Kind::jpeg;
  if (text.starts_with(kPng)) return Kind::png;
  for (const auto& [name, opening, offset] : kForeign) {
    if (text.size() > offset && text.substr(offset).starts_with(opening))
      throw UserError(fmt::format("{}: {}, not a JPEG or PNG", where, name), "convert it to JPEG or PNG");
  }
  std::string first;
  for (char c : text.substr(0, 8)) first += fmt::format("{}{:02x}", first.empty() ? "" : " ", uint8_t(c));
  throw UserError(fmt::format("{}: neither a JPEG nor a PNG: it opens with the bytes {}", where, first), "convert it to JPEG or PNG");
}

}  // namespace

PixelBox decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, Image& into) {
  if (kind_of(bytes, where) == Kind::jpeg) return decode_jpeg(bytes, options, where, into);
  into = decode_png(bytes, options, where);
  return {0, 0, into.height, into.width};
}

Image decode_image(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  return kind_of(bytes, where) == Kind::jpeg ? decode_jpeg(bytes, options, where) : decode_png(bytes, options, where);
}

ImageSize image_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  return kind_of(bytes, where) == Kind::jpeg ? jpeg_size(bytes, options, where) : png_size(bytes, options, where);
}

Image read_image(const std::filesystem::path& path, const DecodeOptions& options) {
  const Bytes bytes = map_file(path);
  return decode_image(bytes.view, options, path.string());
}

}  // namespace zoo::io
