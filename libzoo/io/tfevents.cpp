#include <libzoo/core/error.h>
#include <libzoo/core/log.h>
#include <libzoo/io/proto.h>
#include <libzoo/io/tfevents.h>
#include <libzoo/io/tfrecord.h>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace zoo::io {
namespace {

constexpr size_t kBuffer = 1 << 16;  // bytes kept before they are handed to the system

std::string frame(const std::string& payload) {
  const auto header = tfrecord_header(payload.size());
  const auto footer = tfrecord_footer(view_bytes(payload));
  std::string record(header.begin(), header.end());
  return record.append(payload).append(footer.begin(), footer.end());
}

// proto3 leaves out defaults; -0 is none.
bool is_default(double value) { return std::bit_cast<uint64_t>(value) == 0; }

void number(ProtoWriter& message, uint32_t field, double value) {
  if (!is_default(value)) message.fixed64(field, value);
}

void integer(ProtoWriter& message, uint32_t field, int64_t value) {
  if (value != 0) message.varint(field, uint64_t(value));
}

template <class Fill>
std::string value_event(std::string_view tag, EventTime time, Fill fill) {
  ProtoWriter value, summary, event;
  if (!tag.empty()) value.bytes(1, tag);
  fill(value);
  summary.message(1, value);
  number(event, 1, time.wall_time);
  integer(event, 2, time.step);
  event.message(5, summary);
  return frame(event.text());
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string version_event(double wall_time) {
  ProtoWriter event;
  number(event, 1, wall_time);
  event.bytes(3, "brain.Event:2");
  return frame(event.text());
}

std::string scalar_event(std::string_view tag, float value, EventTime time) {
  return value_event(tag, time, [&](ProtoWriter& v) { v.fixed32(2, value); });
}

std::string image_event(std::string_view tag, const EventImage& image, EventTime time) {
  return value_event(tag, time, [&](ProtoWriter& v) {
    ProtoWriter message;
    integer(message, 1, image.height);
    integer(message, 2, image.width);
    integer(message, 3, image.colorspace);
    if (!image.png.empty()) message.bytes(4, {reinterpret_cast<const char*>(image.png.data()), image.png.size()});
    v.message(4, message);
  });
}

std::string histogram_event(std::string_view tag, const Histogram& h, EventTime time) {
  return value_event(tag, time, [&](ProtoWriter& v) {
    ProtoWriter message;
    number(message, 1, h.min);
    number(message, 2, h.max);
    number(message, 3, h.num);
    number(message, 4, h.sum);
    number(message, 5, h.sum_squares);
    if (!h.bucket_limit.empty()) message.packed(6, h.bucket_limit);
    if (!h.bucket.empty()) message.packed(7, h.bucket);
    v.message(5, message);
  });
}

// A string tensor of shape [1], for the plugin "text".
std::string text_event(std::string_view tag, std::string_view text, EventTime time) {
  return value_event(tag, time, [&](ProtoWriter& v) {
    ProtoWriter dim, shape, tensor, plugin, metadata;
    dim.varint(1, 1);
    shape.message(2, dim);
    tensor.varint(1, 7);  // DT_STRING
    tensor.message(2, shape);
    tensor.bytes(8, text);
    plugin.bytes(1, "text");
    metadata.message(1, plugin);
    v.message(8, tensor);
    v.message(9, metadata);
  });
}

EventWriter::EventWriter(const std::filesystem::path& folder) {
  static std::atomic<int> counter{0};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(fmt::format("{}: {}", folder.string(), error.message()));
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  const double time = now();
  path_ = folder / fmt::format("events.out.tfevents.{:010d}.{}.{}.{}", int64_t(time), host, ::getpid(), counter++);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw Error(fmt::format("{}: {}", path_.string(), std::strerror(errno)));
  append(version_event(time));
  flush();
}

EventWriter::~EventWriter() {
  try {
    flush();
  } catch (const Error& error) {
    log::error(error.what());
  }
  ::close(file_);
}

void EventWriter::scalar(std::string_view tag, int64_t step, double value) { append(scalar_event(tag, float(value), {now(), step})); }

void EventWriter::image(std::string_view tag, int64_t step, int64_t height, int64_t width, int64_t channels, std::span<const uint8_t> png) {
  append(image_event(tag, {height, width, channels, png}, {now(), step}));
}

void EventWriter::histogram(std::string_view tag, int64_t step, std::span<const double> values) {
  append(histogram_event(tag, tensorboard_histogram(values), {now(), step}));
}

void EventWriter::text(std::string_view tag, int64_t step, std::string_view markdown) { append(text_event(tag, markdown, {now(), step})); }

void EventWriter::append(const std::string& record) {
  std::lock_guard lock(mutex_);
  buffer_ += record;
  if (buffer_.size() >= kBuffer) write_buffer();
}

void EventWriter::flush() {
  std::lock_guard lock(mutex_);
  write_buffer();
}

// What was written leaves the buffer even if the rest fails, so that a later attempt goes on where this one stopped.
void EventWriter::write_buffer() {
  size_t done = 0;
  int reason = 0;
  while (done < buffer_.size() && reason == 0) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n >= 0)
      done += size_t(n);
    else if (errno != EINTR)
      reason = errno;
  }
  buffer_.erase(0, done);
  if (reason != 0) throw Error(fmt::format("{}: cannot write: {}", path_.string(), std::strerror(reason)));
}

}  // namespace zoo::io
