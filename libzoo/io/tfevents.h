// TensorBoard's event files: TFRecord framing around Event messages, written and read without protobuf.
//
//   EventWriter events(run / "tensorboard");
//   events.scalar("loss", step, 0.5);
//   for (auto& s : read_scalars(map_file(file), file)) …
#pragma once

#include <libzoo/io/bytes.h>
#include <libzoo/io/histogram.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace zoo::io {

struct EventTime {
  double wall_time = 0;  // seconds since 1970
  int64_t step = 0;
};

struct EventImage {
  int64_t height = 0, width = 0;  // pixels
  int64_t colorspace = 3;         // 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA
  std::span<const uint8_t> png;
};

// One framed record each; the first of a file is version_event.
std::string version_event(double wall_time);
std::string scalar_event(std::string_view tag, float value, EventTime time);
std::string image_event(std::string_view tag, const EventImage& image, EventTime time);
std::string histogram_event(std::string_view tag, const Histogram& histogram, EventTime time);
std::string text_event(std::string_view tag, std::string_view text, EventTime time);

// Appends events to a new file of its own in `folder`. Any thread may call any member.
class EventWriter {
 public:
  // Creates the folder and events.out.tfevents.<seconds>.<host>.<pid>.<n>. This and all members throw Error with the file's
  // name and the system's reason.
  explicit EventWriter(const std::filesystem::path& folder);
  ~EventWriter();  // flushes; an error is logged
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  void scalar(std::string_view tag, int64_t step, double value);  // stored as float
  void image(std::string_view tag, int64_t step, int64_t height, int64_t width, int64_t channels, std::span<const uint8_t> png);
  void histogram(std::string_view tag, int64_t step, std::span<const double> values);
  void text(std::string_view tag, int64_t step, std::string_view markdown);

  void flush();  // hands everything to the system
  const std::filesystem::path& path() const { return path_; }

 private:
  void append(const std::string& record);
  void write_buffer();

  std::filesystem::path path_;
  std::mutex mutex_;
  std::string buffer_;
  int file_ = -1;
};

struct ScalarEvent {
  double wall_time = 0;
  int64_t step = 0;
  std::string tag;
  float value = 0;
};

// All scalars in file order, as simple_value or as the rank-0 float tensor that TensorFlow 2 writes; other values are passed
// over. An incomplete last record ends the list, since the file may still be written to; wrong checksums throw UserError.
std::vector<ScalarEvent> read_scalars(const Bytes& file, const std::string& where);

}  // namespace zoo::io
