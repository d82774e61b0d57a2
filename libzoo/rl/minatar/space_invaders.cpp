// Space Invaders: a block of aliens steps sideways and down, shoots, and is shot at. Boards are sets of cells in 100 bits, so that
// a move of all aliens or bullets is one shift.
#include <libzoo/rl/minatar/game.h>

#include <algorithm>
#include <bit>

namespace zoo::rl::minatar {
namespace {

__extension__ using Bits = unsigned __int128;

constexpr int kCells = kSide * kSide;
constexpr Bits kAll = (Bits(1) << kCells) - 1;
constexpr Bits kRow = (Bits(1) << kSide) - 1;  // row 0

constexpr Bits cell(int x, int y) { return Bits(1) << (kSide * y + x); }

constexpr Bits column(int x) {
  Bits bits = 0;
  for (int y = 0; y < kSide; ++y) bits |= cell(x, y);
  return bits;
}
constexpr auto kColumns = [] {
  std::array<Bits, kSide> columns{};
  for (int x = 0; x < kSide; ++x) columns[size_t(x)] = column(x);
  return columns;
}();
constexpr Bits kWave = (kRow | kRow << 10 | kRow << 20 | kRow << 30) & ~(column(0) | column(1) | column(8) | column(9));

int count(Bits bits) { return std::popcount(uint64_t(bits)) + std::popcount(uint64_t(bits >> 64)); }
int highest(Bits bits) {  // bits not empty
  return bits >> 64 ? 127 - std::countl_zero(uint64_t(bits >> 64)) : 63 - std::countl_zero(uint64_t(bits));
}
Bits rows_up(Bits bits) { return bits >> kSide; }            // the top row leaves
Bits rows_down(Bits bits) { return bits << kSide & kAll; }   // the bottom row leaves
Bits rows_around(Bits bits) { return rows_down(bits) | bits >> (kCells - kSide); }

template <class Visit>
void for_each_cell(Bits bits, Visit visit) {
  for (uint64_t low = uint64_t(bits); low; low &= low - 1) visit(std::countr_zero(low));
  for (uint64_t high = uint64_t(bits >> 64); high; high &= high - 1) visit(64 + std::countr_zero(high));
}

struct SpaceInvaders {
  static constexpr const char* kName = "minatar/space_invaders";
  static constexpr std::string_view kChannels[] = {"cannon", "alien", "alien_left", "alien_right", "friendly_bullet", "enemy_bullet"};
  static constexpr std::string_view kLetters = "AW<>|!";
  static constexpr int64_t kMinimal[] = {noop, left, right, fire};
  enum Channel { cannon, alien, alien_left, alien_right, friendly_bullet, enemy_bullet };
  static constexpr int kInterval = 12, kFastest = 6, kAlienShot = 10, kShot = 5;

  int difficulty = 0;
  bool terminal = false, to_right = false;
  int x = 5, interval = kInterval, move_timer = kInterval, alien_shot_timer = kAlienShot, shot_timer = 0;
  Bits aliens = kWave, friendly = 0, enemy = 0;

  void reset(WordSource&) { *this = {}; }

  int step(int64_t action, bool ramping, WordSource&) {
    if (action == fire && shot_timer == 0) {
      friendly |= cell(x, 9);
      shot_timer = kShot;
    } else if (action == left) {
      x = std::max(x - 1, 0);
    } else if (action == right) {
      x = std::min(x + 1, 9);
    }
    const Bits here = cell(x, 9);
    friendly = rows_up(friendly);
    enemy = rows_down(enemy);
    if ((enemy | aliens) & here) terminal = true;
    if (move_timer == 0) {
      move_aliens();
      if (aliens & here) terminal = true;
    }
    if (alien_shot_timer == 0) {
      alien_shot_timer = kAlienShot;
      shoot();
    }
    const Bits hits = aliens & friendly;
    const int reward = hits ? count(hits) : 0;
    aliens &= ~hits;
    friendly &= ~hits;
    if (shot_timer > 0) --shot_timer;
    --move_timer;
    --alien_shot_timer;
    if (!aliens) {
      if (interval > kFastest && ramping) {
        --interval;
        ++difficulty;
      }
      aliens = kWave;
    }
    return reward;
  }

  void move_aliens() {
    move_timer = std::min(count(aliens), interval);
    if (aliens & kColumns[to_right ? 9 : 0]) {
      to_right = !to_right;
      if (aliens >> (kCells - kSide)) terminal = true;
      aliens = rows_around(aliens);
    } else {
      aliens = to_right ? aliens << 1 : aliens >> 1;
    }
  }

  // The lowest alien of the column nearest to the cannon; on a tie of the left one.
  void shoot() {
    for (int distance = 0; distance < kSide; ++distance)
      for (const int at : {x - distance, x + distance}) {
        if (!on_board(at)) continue;
        if (const Bits standing = aliens & kColumns[size_t(at)]) {
          enemy |= Bits(1) << highest(standing);
          return;
        }
      }
  }

  void observe(Planes<6> to) const {
    to.set(x, 9, cannon);
    const int moving = to_right ? alien_right : alien_left;
    for_each_cell(aliens, [&](int at) {
      to.set_cell(at, alien);
      to.set_cell(at, moving);
    });
    for_each_cell(friendly, [&](int at) { to.set_cell(at, friendly_bullet); });
    for_each_cell(enemy, [&](int at) { to.set_cell(at, enemy_bullet); });
  }

  template <class Fields>
  void fields(Fields& field) {
    field("to_right", to_right);
    field("x", x, 0, 9);
    field("interval", interval, kFastest, kInterval);
    field("move_timer", move_timer, 0, kInterval);
    field("alien_shot_timer", alien_shot_timer, 0, kAlienShot);
    field("shot_timer", shot_timer, 0, kShot);
    board(field, "aliens", aliens);
    board(field, "friendly", friendly);
    board(field, "enemy", enemy);
  }

  // As two numbers of 50 bits, five rows each.
  template <class Fields>
  static void board(Fields& field, const std::string& name, Bits& bits) {
    constexpr int kHalf = kCells / 2;
    constexpr int64_t kMask = (int64_t(1) << kHalf) - 1;
    int64_t top = int64_t(bits) & kMask, bottom = int64_t(bits >> kHalf);
    field((name + "_top").c_str(), top, 0, kMask);
    field((name + "_bottom").c_str(), bottom, 0, kMask);
    bits = Bits(bottom) << kHalf | Bits(top);
  }
};

}  // namespace

std::unique_ptr<MinAtar> make_space_invaders(const MinAtarOptions& options) { return std::make_unique<Playable<SpaceInvaders>>(options); }

}  // namespace zoo::rl::minatar
