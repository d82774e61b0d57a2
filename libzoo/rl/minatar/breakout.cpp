// Breakout: a ball that moves diagonally, a paddle on row 9, bricks on rows 1 to 3. At most one brick falls per touch of the wall:
// `strike` stays set while the ball goes through bricks.
#include <libzoo/rl/minatar/game.h>

#include <bit>

namespace zoo::rl::minatar {
namespace {

struct Breakout {
  static constexpr const char* kName = "minatar/breakout";
  static constexpr std::string_view kChannels[] = {"paddle", "ball", "trail", "brick"};
  static constexpr std::string_view kLetters = "=o,#";
  static constexpr int64_t kMinimal[] = {noop, left, right};
  enum Channel { paddle, ball, trail, brick };

  static constexpr uint32_t kWall = (1u << 30) - 1;  // bit 10 (y - 1) + x
  // Headings: 0 up-left, 1 up-right, 2 down-right, 3 down-left.
  static int mirrored_across(int heading) { return heading ^ 1; }  // left and right change places
  static int mirrored_down(int heading) { return 3 - heading; }    // up and down do
  static int reversed(int heading) { return heading ^ 2; }

  int difficulty = 0;
  bool terminal = false, strike = false;
  int ball_x = 0, ball_y = 0, last_x = 0, last_y = 0, paddle_x = 0, heading = 0;
  uint32_t bricks = 0;

  bool has_brick(int x, int y) const { return y >= 1 && y <= 3 && bricks >> (kSide * (y - 1) + x) & 1; }

  void reset(WordSource& random) {
    const bool from_right = random.integer(0, 2) == 1;
    *this = {.ball_x = from_right ? 9 : 0,
             .ball_y = 3,
             .last_x = from_right ? 9 : 0,
             .last_y = 3,
             .paddle_x = 4,
             .heading = from_right ? 3 : 2,
             .bricks = kWall};
  }

  int step(int64_t action, bool, WordSource&) {
    if (action == left && paddle_x > 0) --paddle_x;
    if (action == right && paddle_x < 9) ++paddle_x;
    last_x = ball_x;
    last_y = ball_y;
    int x = ball_x + (heading == 1 || heading == 2 ? 1 : -1), y = ball_y + (heading >= 2 ? 1 : -1), reward = 0;
    bool in_brick = false;
    if (!on_board(x)) {
      x = x < 0 ? 0 : 9;
      heading = mirrored_across(heading);
    }
    if (y < 0) {
      y = 0;
      heading = mirrored_down(heading);
    } else if (has_brick(x, y)) {
      in_brick = true;
      if (!strike) {
        reward = 1;
        strike = true;
        bricks &= ~(1u << (kSide * (y - 1) + x));
        y = last_y;
        heading = mirrored_down(heading);
      }
    } else if (y == 9) {
      if (bricks == 0) bricks = kWall;
      if (last_x == paddle_x) {
        heading = mirrored_down(heading);
        y = last_y;
      } else if (x == paddle_x) {
        heading = reversed(heading);
        y = last_y;
      } else {
        terminal = true;
      }
    }
    if (!in_brick) strike = false;
    ball_x = x;
    ball_y = y;
    return reward;
  }

  void observe(Planes<4> to) const {
    to.set(ball_x, ball_y, ball);
    to.set(paddle_x, 9, paddle);
    to.set(last_x, last_y, trail);
    for (uint32_t rest = bricks; rest; rest &= rest - 1) to.set_cell(kSide + std::countr_zero(rest), brick);
  }

  template <class Fields>
  void fields(Fields& field) {
    field("strike", strike);
    field("ball_x", ball_x, 0, 9);
    field("ball_y", ball_y, 0, 9);
    field("last_x", last_x, 0, 9);
    field("last_y", last_y, 0, 9);
    field("paddle_x", paddle_x, 0, 9);
    field("heading", heading, 0, 3);
    field("bricks", bricks, 0, kWall);
  }
};

}  // namespace

std::unique_ptr<MinAtar> make_breakout(const MinAtarOptions& options) { return std::make_unique<Playable<Breakout>>(options); }

}  // namespace zoo::rl::minatar
