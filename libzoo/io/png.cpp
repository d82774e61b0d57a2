#include <libzoo/io/png.h>

#include <libzoo/core/error.h>
#include <libzoo/io/pixel_rows.h>

#include <fmt/format.h>

#include <csetjmp>
#include <cstring>
#include <new>

#include <png.h>

namespace zoo::io {
namespace {

constexpr int64_t kInflateRatio = 1032;            // the most that deflate can expand
constexpr int64_t kMaxWidth = 1'000'000;           // libpng's own default; a row is held expanded, several times
constexpr png_alloc_size_t kChunkBytes = 8 << 20;  // for chunks that are kept: palette and transparency

struct Source {
  std::span<const uint8_t> bytes;
  size_t position = 0;
};

// libpng reports errors by longjmp. So every call into it sits in a member function that holds no object with a
// destructor and returns false after a jump; `message` then says why.
struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Source source;
  char message[160] = "";

  explicit Decoder(std::span<const uint8_t> bytes) : source{bytes} {}
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;

  static void fail(png_structp png, png_const_charp text) {
    auto* self = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(self->message, sizeof self->message, "%s", text);
    png_longjmp(png, 1);
  }

  static void read(png_structp png, png_bytep to, size_t size) {
    auto* source = static_cast<Source*>(png_get_io_ptr(png));
    if (size > source->bytes.size() - source->position) png_error(png, "the file ends inside the picture");
    std::memcpy(to, source->bytes.data() + source->position, size);
    source->position += size;
  }

  bool read_header() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, [](png_structp, png_const_charp) {});
    if (!png) return false;
    if (setjmp(png_jmpbuf(png))) return false;
    info = png_create_info_struct(png);
    if (!info) return false;
    png_set_read_fn(png, &source, read);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // ours come after the header
    png_set_chunk_malloc_max(png, kChunkBytes);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // only header, palette, transparency, pixels
    png_read_info(png, info);
    return true;
  }

  int depth() const { return png_get_bit_depth(png, info); }
  int color() const { return png_get_color_type(png, info); }
  int64_t width() const { return png_get_image_width(png, info); }
  int64_t height() const { return png_get_image_height(png, info); }
  bool interlaced() const { return png_get_interlace_type(png, info) != PNG_INTERLACE_NONE; }
  int channels() const { return png_get_channels(png, info); }
  int64_t row_bytes() const { return int64_t(png_get_rowbytes(png, info)); }

  // `keep_16`: rows of big-endian pairs; else bytes. After it channels() and row_bytes() are those of the result.
  bool start(ColorMode mode, bool keep_16) {
    if (setjmp(png_jmpbuf(png))) return false;
    const bool grey = (color() & PNG_COLOR_MASK_COLOR) == 0;
    if (!keep_16) png_set_strip_16(png);
    if (color() == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (grey && depth() < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (mode != ColorMode::unchanged) png_set_strip_alpha(png);
    if (mode == ColorMode::rgb && grey) png_set_gray_to_rgb(png);
    if (interlaced()) png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }

  bool read_rows(uint8_t* to, int64_t stride, int64_t rows) {
    if (setjmp(png_jmpbuf(png))) return false;
    for (int64_t y = 0; y < rows; ++y) png_read_row(png, to + y * stride, nullptr);
    return true;
  }

  // Every pass of an interlaced picture.
  bool read_passes(uint8_t* to, int64_t stride, int64_t rows) {
    if (setjmp(png_jmpbuf(png))) return false;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass)
      for (int64_t y = 0; y < rows; ++y) png_read_row(png, to + y * stride, nullptr);
    return true;
  }

  bool finish() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_read_end(png, nullptr);
    return true;
  }
};

void require(bool good, const Decoder& decoder, const char* what, const std::string& where) {
  if (!good) throw UserError(fmt::format("{}: {}: {}", where, what, decoder.message), "the file is no whole PNG; copy or export it again");
}

// Called before the transformations are set, and after it for interlaced pictures, which are held whole.
void check_size(const Decoder& decoder, const DecodeOptions& options, const std::string& where) {
  const int64_t height = decoder.height(), width = decoder.width(), file_size = int64_t(decoder.source.bytes.size());
  if (height > options.max_pixels / width) {
    throw UserError(fmt::format("{}: the header claims {}x{} pixels, the limit is {}", where, height, width, options.max_pixels),
                    "raise max_pixels if the picture is really that large");
  }
  if (width > kMaxWidth)
    throw UserError(fmt::format("{}: the header claims a width of {} pixels, the limit is {}", where, width, kMaxWidth));
  if (decoder.row_bytes() * height > std::max(kEagerBytes, kInflateRatio * file_size)) {
    throw UserError(
        fmt::format("{}: the header claims {}x{} pixels, more than a file of {} bytes can hold", where, height, width, file_size));
  }
}

void open(Decoder& decoder, const DecodeOptions& options, const std::string& where) {
  if (decoder.source.bytes.empty()) throw UserError(fmt::format("{}: the file is empty, a PNG picture was expected", where));
  require(decoder.read_header(), decoder, "no PNG header", where);
  check_size(decoder, options, where);
}

// Bytes, or with `keep_16` big-endian pairs that count as channels; `channels` receives those of the picture.
Image decode(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, bool may_keep_16, bool& kept_16) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  const auto check = [&](bool good) { require(good, decoder, "damaged PNG", where); };
  kept_16 = may_keep_16 && options.mode == ColorMode::unchanged && decoder.depth() == 16;
  check(decoder.start(options.mode, kept_16));

  const int64_t stride = decoder.row_bytes();
  const bool to_luma = options.mode == ColorMode::gray && decoder.channels() == 3;
  Image image{decoder.height(), decoder.width(), to_luma ? 1 : stride / decoder.width(), {}};
  if (decoder.interlaced()) {
    check_size(decoder, options, where);
    Image colours{image.height, image.width, stride / image.width, {}};
    colours.pixels.resize(size_t(image.height * stride));
    check(decoder.read_passes(colours.pixels.data(), stride, image.height));
    if (to_luma) rgb_to_luma(colours.pixels.data(), colours.pixels.data(), image.height * image.width);
    image.pixels = std::move(colours.pixels);
    image.pixels.resize(size_t(image.height * image.width * image.channels));
  } else {
    const int64_t step = rows_at_once(image.width);
    std::vector<uint8_t> colours(to_luma ? size_t(step * stride) : 0);
    for (int64_t y = 0; y < image.height; y += step) {
      const int64_t rows = std::min(step, image.height - y);
      make_room(image, y + rows);
      check(decoder.read_rows(to_luma ? colours.data() : image.row(y), stride, rows));
      if (to_luma) rgb_to_luma(colours.data(), image.row(y), rows * image.width);
    }
  }
  check(decoder.finish());
  if (options.region) {
    check_box(*options.region, image.height, image.width, where);
    keep(image, *options.region);
  }
  return image;
}

}  // namespace

Image decode_png(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  bool kept_16 = false;
  return decode(bytes, options, where, false, kept_16);
}

ImageSize png_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  return {decoder.height(), decoder.width()};
}

Array decode_png_array(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  bool kept_16 = false;
  auto image = std::make_shared<Image>(decode(bytes, options, where, true, kept_16));
  if (!kept_16) return Array(DType::u8, {image->height, image->width, image->channels}, image->pixels.data(), image);
  Array array(DType::i32, {image->height, image->width, image->channels / 2});
  auto values = array.mutable_span<int32_t>();
  for (size_t i = 0; i < values.size(); ++i) values[i] = image->pixels[2 * i] << 8 | image->pixels[2 * i + 1];
  return array;
}

namespace {

struct Encoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<uint8_t> bytes;
  char message[160] = "";

  ~Encoder() { png_destroy_write_struct(&png, &info); }

  static void fail(png_structp png, png_const_charp text) {
    auto* self = static_cast<Encoder*>(png_get_error_ptr(png));
    std::snprintf(self->message, sizeof self->message, "%s", text);
    png_longjmp(png, 1);
  }

  bool append(const uint8_t* data, size_t size) noexcept {
    try {
      bytes.insert(bytes.end(), data, data + size);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  static void write(png_structp png, png_bytep data, size_t size) {
    if (!static_cast<Encoder*>(png_get_io_ptr(png))->append(data, size)) png_error(png, "out of memory");
  }

  bool encode(const uint8_t* pixels, int64_t height, int64_t width, int64_t channels) {
    constexpr int kColor[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, fail, [](png_structp, png_const_charp) {});
    if (!png) return false;
    if (setjmp(png_jmpbuf(png))) return false;
    info = png_create_info_struct(png);
    if (!info) return false;
    png_set_write_fn(png, this, write, [](png_structp) {});
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_IHDR(png, info, png_uint_32(width), png_uint_32(height), 8, kColor[channels - 1], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int64_t y = 0; y < height; ++y) png_write_row(png, pixels + y * width * channels);
    png_write_end(png, nullptr);
    return true;
  }
};

}  // namespace

std::vector<uint8_t> encode_png(const Image& image) {
  constexpr int64_t kMaxSide = 0x7fffffff;
  if (image.channels < 1 || image.channels > 4) throw UserError(fmt::format("a PNG has 1 to 4 channels, this picture {}", image.channels));
  if (image.height < 1 || image.width < 1 || image.height > kMaxSide || image.width > kMaxSide ||
      int64_t(image.pixels.size()) / image.channels / image.width != image.height ||
      int64_t(image.pixels.size()) != image.height * image.width * image.channels) {
    throw UserError(fmt::format("no PNG can hold a picture of {}x{} pixels in {} bytes", image.height, image.width, image.pixels.size()));
  }
  Encoder encoder;
  if (!encoder.encode(image.pixels.data(), image.height, image.width, image.channels)) {
    throw Error(fmt::format("PNG encoding failed: {}", encoder.message));
  }
  return std::move(encoder.bytes);
}

}  // namespace zoo::io
