#include <libzoo/io/jpeg.h>

#include <libzoo/core/error.h>
#include <libzoo/io/exif.h>
#include <libzoo/io/jpeg_library.h>
#include <libzoo/io/pixel_rows.h>

#include <fmt/format.h>

#include <cstring>

#ifdef LIBJPEG_TURBO_VERSION
#define ZOO_JPEG_PARTS 1  // jpeg_crop_scanline, jpeg_skip_scanlines
#endif

namespace zoo::io {
namespace {

constexpr int64_t kNeighbours = 2;  // pixels around one that smooth upsampling of chroma looks at
constexpr int kMaxScans = 100;
constexpr int64_t kCoefficientsPerByte = 512;  // bytes of coefficients that one byte of a file may stand for

boolean out_of_data(j_decompress_ptr info) {
  info->err->msg_code = JWRN_JPEG_EOF;
  JpegJump::fail(reinterpret_cast<j_common_ptr>(info));
}

void skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if (size_t(count) > info->src->bytes_in_buffer) out_of_data(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= size_t(count);
}

void count_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  auto* jump = reinterpret_cast<JpegJump*>(info->err);
  std::snprintf(jump->message, sizeof jump->message, "more than %d scans", kMaxScans);
  longjmp(jump->target, 1);
}

struct Decoder {
  JpegJump jump;
  jpeg_decompress_struct info{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};

  explicit Decoder(std::span<const uint8_t> bytes) {
    jump.install();
    info.err = &jump.errors;
    source.next_input_byte = bytes.data();
    source.bytes_in_buffer = bytes.size();
    source.init_source = [](j_decompress_ptr) {};
    source.fill_input_buffer = out_of_data;
    source.skip_input_data = skip;
    source.resync_to_restart = jpeg_resync_to_restart;
    source.term_source = [](j_decompress_ptr) {};
    progress.progress_monitor = count_scans;
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;

  bool read_header(bool keep_exif) {
    if (setjmp(jump.target)) return false;
    jpeg_create_decompress(&info);
    info.src = &source;
    info.progress = &progress;
    if (keep_exif) jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&info, TRUE);
    return true;
  }

  bool start(J_COLOR_SPACE space, int denominator) {
    if (setjmp(jump.target)) return false;
    info.scale_num = 1, info.scale_denom = unsigned(denominator);
    info.out_color_space = space;
    info.dct_method = JDCT_ISLOW;
    info.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&info);
    return true;
  }

#ifdef ZOO_JPEG_PARTS
  // Makes `part` the smallest decodable one that holds it, in pixels of the output, and goes to its first row. Pixels beside
  // a cut would lack a neighbour in the smoothing of chroma, so there is one more column on each side and one more row above;
  // cuts lie between blocks, and skips end at rows of blocks (elsewhere libjpeg-turbo smooths wrongly, its issue 915).
  bool cut(PixelBox& part) {
    if (setjmp(jump.target)) return false;
    const JDIMENSION right = std::min(JDIMENSION(part.left + part.width + kNeighbours), info.output_width);
    JDIMENSION left = JDIMENSION(std::max<int64_t>(part.left - kNeighbours, 0)), width = right - left;
    if (width < info.output_width) jpeg_crop_scanline(&info, &left, &width);
    const int64_t block_rows = info.max_v_samp_factor * info.min_DCT_scaled_size;
    const int64_t top = std::max<int64_t>(part.top - kNeighbours, 0) / block_rows * block_rows;
    if (top > 0) jpeg_skip_scanlines(&info, JDIMENSION(top));
    part = {top, int64_t(left), part.top + part.height - top, int64_t(info.output_width)};
    return true;
  }
#endif

  // Up to `rows` rows, `stride` bytes apart.
  bool read_rows(uint8_t* to, int64_t stride, int64_t rows) {
    if (setjmp(jump.target)) return false;
    const JDIMENSION end = info.output_scanline + JDIMENSION(rows), first = info.output_scanline;
    while (info.output_scanline < end) {
      JSAMPROW row[8];
      const JDIMENSION count = std::min<JDIMENSION>(8, end - info.output_scanline);
      for (JDIMENSION i = 0; i < count; ++i) row[i] = to + int64_t(info.output_scanline - first + i) * stride;
      jpeg_read_scanlines(&info, row, count);
    }
    return true;
  }

  bool finish() {
    if (setjmp(jump.target)) return false;
    jpeg_finish_decompress(&info);
    return true;
  }
};

// Pillow's conversion, from inks as stored: inverted where an Adobe marker says so (all files in the wild).
void cmyk_to_rgb(const uint8_t* cmyk, uint8_t* rgb, int64_t pixels, bool inverted) {
  for (int64_t i = 0; i < pixels; ++i, cmyk += 4, rgb += 3) {
    const int white = inverted ? cmyk[3] : 255 - cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (inverted ? 255 - cmyk[c] : cmyk[c]) * white + 128;
      rgb[c] = uint8_t(std::clamp(white - ((product + (product >> 8)) >> 8), 0, 255));
    }
  }
}

void check_header(const jpeg_decompress_struct& info, int64_t file_size, const DecodeOptions& options, const std::string& where,
                  bool several_scans) {
  const int64_t height = info.image_height, width = info.image_width;
  if (height * width > options.max_pixels) {
    throw UserError(fmt::format("{}: the header claims {}x{} pixels, the limit is {}", where, height, width, options.max_pixels),
                    "raise max_pixels if the picture is really that large");
  }
  if (info.num_components != 1 && info.num_components != 3 && info.num_components != 4) {
    throw UserError(fmt::format("{}: a JPEG of {} components; 1, 3 and 4 are known", where, info.num_components));
  }
  if (!several_scans) return;
  int64_t bytes = 0;
  for (int c = 0; c < info.num_components; ++c) {
    bytes += int64_t(info.comp_info[c].width_in_blocks) * info.comp_info[c].height_in_blocks * DCTSIZE2 * int64_t(sizeof(JCOEF));
  }
  if (bytes > std::max(kEagerBytes, kCoefficientsPerByte * file_size)) {
    throw UserError(
        fmt::format("{}: the header claims {}x{} pixels, more than a file of {} bytes can hold", where, height, width, file_size));
  }
}

int orientation_of(const jpeg_decompress_struct& info) {
  for (auto* marker = info.marker_list; marker; marker = marker->next) {
    const std::span<const uint8_t> data(marker->data, marker->data_length);
    if (data.size() >= 6 && std::memcmp(data.data(), "Exif\0\0", 6) == 0) return exif_orientation(data);
  }
  return 1;
}

constexpr const char* kNotWhole = "the file is no whole JPEG; copy or export it again";

void require(bool good, const Decoder& decoder, const char* what, const std::string& where) {
  if (good) return;
  throw UserError(fmt::format("{}: {}: {}", where, what, decoder.jump.message), kNotWhole);
}

void open(Decoder& decoder, const DecodeOptions& options, const std::string& where) {
  if (decoder.source.bytes_in_buffer == 0) throw UserError(fmt::format("{}: the file is empty, a JPEG picture was expected", where));
  const int64_t file_size = int64_t(decoder.source.bytes_in_buffer), denominator = options.denominator;
  if (denominator != 1 && denominator != 2 && denominator != 4 && denominator != 8)
    throw Error(fmt::format("{}: JPEG pictures are decoded at 1/1, 1/2, 1/4 or 1/8 of their size, not 1/{}", where, denominator));
  require(decoder.read_header(options.apply_exif_orientation), decoder, "no JPEG header", where);
  check_header(decoder.info, file_size, options, where, jpeg_has_multiple_scans(&decoder.info));
}

// Whether the marker that ends a picture follows, or was read just before. The bytes FF D9 occur nowhere else in coefficients.
bool has_end(std::span<const uint8_t> bytes, const uint8_t* position) {
  for (const uint8_t* at = bytes.data() + bytes.size() - 2; at >= position - 2; --at)
    if (at[0] == 0xff && at[1] == 0xd9) return true;
  return false;
}

}  // namespace

PixelBox decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, Image& image) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  auto& info = decoder.info;
  const auto check = [&](bool good) { require(good, decoder, "damaged JPEG", where); };
  const bool four_inks = info.num_components == 4, grey_file = info.num_components == 1;
  const bool to_luma = options.mode == ColorMode::gray && !grey_file;
  const bool to_grey = grey_file && options.mode != ColorMode::rgb;
  check(decoder.start(four_inks ? JCS_CMYK : to_grey ? JCS_GRAYSCALE : JCS_RGB, options.denominator));

  const int orientation = options.apply_exif_orientation ? orientation_of(info) : 1;
  PixelBox part{0, 0, int64_t(info.output_height), int64_t(info.output_width)};
  const ImageSize upright_size = orientation < 5 ? ImageSize{part.height, part.width} : ImageSize{part.width, part.height};
  PixelBox wanted = options.region.value_or(PixelBox{0, 0, upright_size.height, upright_size.width});
  if (options.region) {
    check_box(wanted, upright_size.height, upright_size.width, where);
#ifdef ZOO_JPEG_PARTS
    if (orientation == 1) {
      part = wanted;
      check(decoder.cut(part));
      wanted.top -= part.top, wanted.left -= part.left;
    }
#endif
  }

  image.height = part.height, image.width = part.width, image.channels = to_luma || to_grey ? 1 : 3;
  fit_room(image);
  const int64_t step = rows_at_once(image.width);
  std::vector<uint8_t> inks(four_inks ? size_t(step * image.width * 4) : 0);
  std::vector<uint8_t> colours(to_luma ? size_t(step * image.width * 3) : 0);
  for (int64_t y = 0; y < image.height; y += step) {
    const int64_t rows = std::min(step, image.height - y), pixels = rows * image.width;
    make_room(image, y + rows);
    uint8_t* rgb = to_luma ? colours.data() : image.row(y);
    uint8_t* decoded = four_inks ? inks.data() : rgb;
    check(decoder.read_rows(decoded, image.width * info.output_components, rows));
    if (four_inks) cmyk_to_rgb(inks.data(), rgb, pixels, info.saw_Adobe_marker);
    if (to_luma) rgb_to_luma(rgb, image.row(y), pixels);
  }
  if (info.output_scanline == info.output_height) {
    check(decoder.finish());
  } else if (!has_end(bytes, info.src->next_input_byte)) {
    throw UserError(fmt::format("{}: damaged JPEG: it has no end", where), kNotWhole);
  }
  if (orientation != 1) image = upright(std::move(image), orientation);
  return wanted;
}

Image decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  Image image;
  const PixelBox wanted = decode_jpeg(bytes, options, where, image);
  keep(image, wanted);
  return image;
}

ImageSize jpeg_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  const auto scaled = [&](JDIMENSION side) { return (int64_t(side) + options.denominator - 1) / options.denominator; };
  const ImageSize size{scaled(decoder.info.image_height), scaled(decoder.info.image_width)};
  const bool lying = options.apply_exif_orientation && orientation_of(decoder.info) >= 5;
  return lying ? ImageSize{size.width, size.height} : size;
}

}  // namespace zoo::io
