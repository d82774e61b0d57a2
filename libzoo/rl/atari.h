// What Dopamine does between an Atari machine and an agent (atari_lib.py): a step is four frames with the same action, sticky per
// frame; the grey screens of the last two are pooled by their maximum and shrunk to 84x84. No no-op starts, no loss of life as an end.
#pragma once

#include <libzoo/rl/environment.h>
#include <libzoo/rl/exploration.h>

#include <memory>
#include <span>
#include <vector>

namespace zoo::rl {

// round(0.2989 R + 0.5870 G + 0.1140 B). rgb [pixels, 3], grey [pixels].
void grayscale(std::span<const uint8_t> rgb, std::span<uint8_t> grey);

// Each pixel of the result is the mean of the area that it covers, rounded (OpenCV's INTER_AREA within 1).
class AreaResize {
 public:
  AreaResize(int64_t height, int64_t width, int64_t new_height, int64_t new_width);
  void operator()(const uint8_t* from, uint8_t* to) const;  // one channel

 private:
  struct Span {
    int64_t first;
    std::vector<float> weights;  // they sum to 1
  };
  static std::vector<Span> spans(int64_t from, int64_t to);

  int64_t width_;
  std::vector<Span> rows_, columns_;
};

// The two screens that are pooled. They are kept over steps: a step that ends early pools stale ones, as the original does.
class ScreenPool {
 public:
  // frame_skip >= 2: frames a step. Screens [height, width], results [size, size]. Throws Error otherwise.
  ScreenPool(int64_t height, int64_t width, int64_t frame_skip, int64_t size);

  void reset(std::span<const uint8_t> screen);
  bool wants(int64_t frame) const { return frame >= frame_skip_ - 1; }  // frames of a step are numbered from 1
  void capture(int64_t frame, std::span<const uint8_t> screen);       // one that it wants
  // Buffer 0 becomes the maximum of both, and is what the result is made of.
  void pool();
  void write(uint8_t* to) const { resize_(buffers_.data(), to); }

  std::span<uint8_t> buffers() { return buffers_; }  // [2, height, width]
  std::span<const uint8_t> buffers() const { return buffers_; }

 private:
  int64_t frame_skip_;
  size_t screen_;
  AreaResize resize_;
  std::vector<uint8_t> buffers_;
};

// The machine beneath: one frame at a time.
class Console {
 public:
  virtual ~Console() = default;
  virtual std::string name() const = 0;
  virtual int64_t height() const = 0;
  virtual int64_t width() const = 0;
  virtual std::vector<int64_t> minimal_actions() const = 0;  // ALE's numbers of actions, ascending; 0 (noop) is one of them
  virtual void reset() = 0;
  virtual double act(int64_t action) = 0;  // the reward of a frame; an ALE number
  virtual bool game_over() const = 0;
  virtual void screen(std::span<uint8_t> rgb) const = 0;  // [height, width, 3]
  virtual std::vector<uint8_t> save() const = 0;
  virtual void load(std::span<const uint8_t> saved) = 0;  // throws Error
};

struct AtariOptions {
  int64_t frame_skip = 4;
  int64_t screen_size = 84;                   // pixels
  double repeat_action_probability = 0.25;  // per frame
  int64_t time_limit = 27'000;              // agent steps
};

// Observations u8 [84, 84, 1]. Actions count the minimal set: 0 … its size-1.
std::unique_ptr<Environment> make_atari(std::unique_ptr<Console> console, const AtariOptions& options = {});

}  // namespace zoo::rl
