#include <libzoo/io/jpeg.h>

#include <libzoo/core/error.h>
#include <libzoo/io/exif.h>
#include <libzoo/io/pixel_rows.h>

#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <jpeglib.h>
#include <jerror.h>

namespace zoo::io {
namespace {

constexpr int kMaxScans = 100;
constexpr int64_t kCoefficientsPerByte = 512;  // bytes of coefficients that one byte of a file may stand for

// libjpeg reports errors by longjmp. So every call into it sits in one of the functions below that hold no object with
// a destructor and return false after a jump; `message` then says why.
struct Jump {
  jpeg_error_mgr errors{};
  jmp_buf target;
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* jump = reinterpret_cast<Jump*>(info->err);
  (*info->err->format_message)(info, jump->message);
  longjmp(jump->target, 1);
}

// Warnings that mean lost pixels are errors; the others (bytes between segments, odd version numbers) occur in files
// that are whole.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC: fail(info);
    default: break;
  }
}

void install(Jump& jump) {
  jpeg_std_error(&jump.errors);
  jump.errors.error_exit = fail;
  jump.errors.emit_message = on_message;
  jump.errors.output_message = [](j_common_ptr) {};
}

boolean out_of_data(j_decompress_ptr info) {
  info->err->msg_code = JWRN_JPEG_EOF;
  fail(reinterpret_cast<j_common_ptr>(info));
}

void skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if (size_t(count) > info->src->bytes_in_buffer) out_of_data(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= size_t(count);
}

void count_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  auto* jump = reinterpret_cast<Jump*>(info->err);
  std::snprintf(jump->message, sizeof jump->message, "more than %d scans", kMaxScans);
  longjmp(jump->target, 1);
}

struct Decoder {
  Jump jump;
  jpeg_decompress_struct info{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};

  explicit Decoder(std::span<const uint8_t> bytes) {
    install(jump);
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

  bool start(J_COLOR_SPACE space) {
    if (setjmp(jump.target)) return false;
    info.out_color_space = space;
    info.dct_method = JDCT_ISLOW;
    info.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&info);
    return true;
  }

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

void require(bool good, const Decoder& decoder, const char* what, const std::string& where) {
  if (good) return;
  throw UserError(fmt::format("{}: {}: {}", where, what, decoder.jump.message), "the file is no whole JPEG; copy or export it again");
}

void open(Decoder& decoder, const DecodeOptions& options, const std::string& where) {
  if (decoder.source.bytes_in_buffer == 0) throw UserError(fmt::format("{}: the file is empty, a JPEG picture was expected", where));
  const int64_t file_size = int64_t(decoder.source.bytes_in_buffer);
  require(decoder.read_header(options.apply_exif_orientation), decoder, "no JPEG header", where);
  check_header(decoder.info, file_size, options, where, jpeg_has_multiple_scans(&decoder.info));
}

}  // namespace

void decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where, Image& image) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  auto& info = decoder.info;
  const bool four_inks = info.num_components == 4, grey_file = info.num_components == 1;
  const bool to_luma = options.mode == ColorMode::gray && !grey_file;
  const bool to_grey = grey_file && options.mode != ColorMode::rgb;
  require(decoder.start(four_inks ? JCS_CMYK : to_grey ? JCS_GRAYSCALE : JCS_RGB), decoder, "damaged JPEG", where);

  image.height = info.output_height, image.width = info.output_width, image.channels = to_luma || to_grey ? 1 : 3;
  fit_room(image);
  const int orientation = options.apply_exif_orientation ? orientation_of(info) : 1;
  const int64_t step = rows_at_once(image.width);
  std::vector<uint8_t> inks(four_inks ? size_t(step * image.width * 4) : 0);
  std::vector<uint8_t> colours(to_luma ? size_t(step * image.width * 3) : 0);
  for (int64_t y = 0; y < image.height; y += step) {
    const int64_t rows = std::min(step, image.height - y), pixels = rows * image.width;
    make_room(image, y + rows);
    uint8_t* rgb = to_luma ? colours.data() : image.row(y);
    uint8_t* decoded = four_inks ? inks.data() : rgb;
    require(decoder.read_rows(decoded, image.width * info.output_components, rows), decoder, "damaged JPEG", where);
    if (four_inks) cmyk_to_rgb(inks.data(), rgb, pixels, info.saw_Adobe_marker);
    if (to_luma) rgb_to_luma(rgb, image.row(y), pixels);
  }
  require(decoder.finish(), decoder, "damaged JPEG", where);
  if (orientation != 1) image = upright(std::move(image), orientation);
}

Image decode_jpeg(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  Image image;
  decode_jpeg(bytes, options, where, image);
  return image;
}

ImageSize jpeg_size(std::span<const uint8_t> bytes, const DecodeOptions& options, const std::string& where) {
  Decoder decoder(bytes);
  open(decoder, options, where);
  const ImageSize size{int64_t(decoder.info.image_height), int64_t(decoder.info.image_width)};
  const bool lying = options.apply_exif_orientation && orientation_of(decoder.info) >= 5;
  return lying ? ImageSize{size.width, size.height} : size;
}

namespace {

struct Encoder {
  Jump jump;
  jpeg_compress_struct info{};
  unsigned char* buffer = nullptr;
  unsigned long size = 0;

  Encoder() {
    install(jump);
    info.err = &jump.errors;
  }
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
  Encoder(const Encoder&) = delete;

  bool encode(const uint8_t* pixels, int64_t height, int64_t width, int channels, int quality) {
    if (setjmp(jump.target)) return false;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &buffer, &size);
    info.image_height = JDIMENSION(height);
    info.image_width = JDIMENSION(width);
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      JSAMPROW row = const_cast<uint8_t*>(pixels) + int64_t(info.next_scanline) * width * channels;
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }
};

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  if (image.channels != 1 && image.channels != 3)
    throw UserError(fmt::format("a JPEG has 1 or 3 channels, this picture {}", image.channels));
  if (quality < 1 || quality > 100) throw UserError(fmt::format("JPEG quality {} is not in 1..100", quality));
  if (image.height < 1 || image.width < 1 || image.height > JPEG_MAX_DIMENSION || image.width > JPEG_MAX_DIMENSION ||
      int64_t(image.pixels.size()) != image.height * image.width * image.channels) {
    throw UserError(fmt::format("no JPEG can hold a picture of {}x{} pixels in {} bytes", image.height, image.width, image.pixels.size()));
  }
  Encoder encoder;
  if (!encoder.encode(image.pixels.data(), image.height, image.width, int(image.channels), quality)) {
    throw Error(fmt::format("JPEG encoding failed: {}", encoder.jump.message));
  }
  return {encoder.buffer, encoder.buffer + encoder.size};
}

}  // namespace zoo::io
