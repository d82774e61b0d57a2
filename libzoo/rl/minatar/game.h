// What the five games share: the sticky draw, the end of an episode, seeds and states. Each game is a struct of plain numbers:
//
//   struct Breakout {
//     static constexpr const char* kName = "minatar/breakout";
//     static constexpr std::string_view kChannels[] = {…};     // kLetters shows them as text
//     static constexpr int64_t kMinimal[] = {…};               // the actions that do something
//     int difficulty = 0;                                      // how often it grew harder
//     bool terminal = false;                                   // set by step()
//     void reset(WordSource& random);
//     int step(int64_t action, bool ramping, WordSource& random);   // the reward
//     void observe(Planes<channels> to) const;                 // zero before
//     template <class Fields> void fields(Fields& field);      // rl/fields.h
//   };
#pragma once

#include <libzoo/rl/fields.h>
#include <libzoo/rl/minatar.h>

#include <array>
#include <cstring>
#include <iterator>

namespace zoo::rl::minatar {

inline constexpr int kSide = 10;
enum Act : int64_t { noop, left, up, right, down, fire };
inline constexpr int64_t kActions = 6;

inline bool on_board(int x) { return unsigned(x) < unsigned(kSide); }

// Bytes [10, 10, channels].
template <int channels>
struct Planes {
  uint8_t* bytes;
  void set(int x, int y, int channel) { bytes[(y * kSide + x) * channels + channel] = 1; }
  void set_cell(int cell, int channel) { bytes[cell * channels + channel] = 1; }  // 10 y + x
  void set_if_on_board(int x, int y, int channel) {
    if (on_board(x)) set(x, y, channel);
  }
};

// Throws UserError unless the probability lies in [0, 1].
void check_options(const MinAtarOptions& options, const char* name);
// For people, from the bytes [10, 10, channels]; of several things in a cell the one of the earliest channel shows.
std::string text_of(std::span<const uint8_t> planes, std::string_view letters);
io::Image picture_of(std::span<const uint8_t> planes, int channels);

template <class Game>
class Playable final : public MinAtar {
 public:
  explicit Playable(const MinAtarOptions& options)
      : options_(options),
        spec_{.name = Game::kName,
              .observation = {.type = DType::boolean, .shape = {kSide, kSide, kChannels}},
              .action = {.count = kActions, .minimal = {std::begin(Game::kMinimal), std::end(Game::kMinimal)}}} {
    check_options(options, Game::kName);
    reset();
  }

  const EnvironmentSpec& spec() const override { return spec_; }
  void seed(uint64_t seed) override { words_ = WordSource(seed); }
  void feed(WordSource words) override { words_ = std::move(words); }
  const WordSource& words() const override { return words_; }
  int64_t executed_action() const override { return executed_; }
  int64_t difficulty() const override { return game_.difficulty; }
  std::span<const std::string_view> channels() const override { return Game::kChannels; }

  void reset() override { game_.reset(words_); }

  using Environment::step;
  StepResult step(int64_t action) override {
    check_action(action, spec_);
    if (!(words_.uniform() < options_.sticky_action_prob)) executed_ = action;
    if (game_.terminal) return {.terminal = true};
    const int reward = game_.step(executed_, options_.difficulty_ramping, words_);
    return {.reward = double(reward), .terminal = game_.terminal};
  }

  void observe(void* to) const override {
    std::memset(to, 0, kBytes);
    game_.observe(Planes<kChannels>{static_cast<uint8_t*>(to)});
  }

  std::string text() const override { return text_of(planes(), Game::kLetters); }
  io::Image picture() const override { return picture_of(planes(), kChannels); }

  State state() const override {
    State state = words_.state();
    state.values["name"] = spec_.name;
    Json game = Json::object();
    SaveFields fields(game);
    Game copy = game_;
    copy.fields(fields);
    fields("difficulty", copy.difficulty);
    fields("terminal", copy.terminal);
    fields("executed", executed_);
    state.values["game"] = std::move(game);
    return state;
  }

  void restore(const State& state) override {
    check_state_name(state, spec_.name);
    WordSource words;
    words.restore(state);
    LoadFields fields(field_of(state.values, "game"));
    Game game;
    int64_t executed = 0;
    game.fields(fields);
    fields("difficulty", game.difficulty);
    fields("terminal", game.terminal);
    fields("executed", executed, 0, kActions - 1);
    words_ = std::move(words);
    game_ = std::move(game);
    executed_ = executed;
  }

 private:
  static constexpr int kChannels = int(std::size(Game::kChannels));
  static constexpr size_t kBytes = size_t(kSide * kSide * kChannels);

  std::array<uint8_t, kBytes> planes() const {
    std::array<uint8_t, kBytes> bytes;
    observe(bytes.data());
    return bytes;
  }

  MinAtarOptions options_;
  EnvironmentSpec spec_;
  WordSource words_;
  Game game_;
  int64_t executed_ = noop;
};

std::unique_ptr<MinAtar> make_asterix(const MinAtarOptions& options);
std::unique_ptr<MinAtar> make_breakout(const MinAtarOptions& options);
std::unique_ptr<MinAtar> make_freeway(const MinAtarOptions& options);
std::unique_ptr<MinAtar> make_seaquest(const MinAtarOptions& options);
std::unique_ptr<MinAtar> make_space_invaders(const MinAtarOptions& options);

}  // namespace zoo::rl::minatar
