// Asterix: eight rows on which gold and enemies pass; the player takes the one and shuns the others.
#include <libzoo/rl/minatar/game.h>

namespace zoo::rl::minatar {
namespace {

struct Asterix {
  static constexpr const char* kName = "minatar/asterix";
  static constexpr std::string_view kChannels[] = {"player", "enemy", "trail", "gold"};
  static constexpr std::string_view kLetters = "@x-$";
  static constexpr int64_t kMinimal[] = {noop, left, up, right, down};
  enum Channel { player, enemy, trail, gold };
  static constexpr int kRampInterval = 100;

  struct Slot {
    bool used = false, is_gold = false, to_right = false;
    int x = 0;
    int direction() const { return to_right ? 1 : -1; }

    template <class Fields>
    void fields(Fields& field) {
      field("used", used);
      field("is_gold", is_gold);
      field("to_right", to_right);
      field("x", x, 0, 9);
    }
  };

  int difficulty = 0;
  bool terminal = false;
  int x = 5, y = 5;
  int spawn_speed = 10, spawn_timer = 10, move_speed = 5, move_timer = 5, ramp_timer = kRampInterval;
  std::array<Slot, 8> slots{};  // slot i on row i + 1

  void reset(WordSource&) { *this = {}; }

  void spawn(WordSource& random) {
    const bool to_right = random.uniform() < 0.5, is_gold = random.uniform() < 1.0 / 3;
    int free[8], count = 0;
    for (int i = 0; i < 8; ++i)
      if (!slots[size_t(i)].used) free[count++] = i;
    if (count == 0) return;
    slots[size_t(free[random.integer(0, count)])] = {true, is_gold, to_right, to_right ? 0 : 9};
  }

  int meet(size_t i) {  // the reward
    if (!slots[i].used || slots[i].x != x || int(i) + 1 != y) return 0;
    if (!slots[i].is_gold) {
      terminal = true;
      return 0;
    }
    slots[i].used = false;
    return 1;
  }

  int step(int64_t action, bool ramping, WordSource& random) {
    int reward = 0;
    if (spawn_timer == 0) {
      spawn(random);
      spawn_timer = spawn_speed;
    }
    if (action == left && x > 0) --x;
    if (action == right && x < 9) ++x;
    if (action == up && y > 1) --y;
    if (action == down && y < 8) ++y;
    for (size_t i = 0; i < slots.size(); ++i) reward += meet(i);
    if (move_timer == 0) {
      move_timer = move_speed;
      for (size_t i = 0; i < slots.size(); ++i) {
        if (!slots[i].used) continue;
        slots[i].x += slots[i].direction();
        if (on_board(slots[i].x))
          reward += meet(i);
        else
          slots[i] = {};
      }
    }
    --spawn_timer;
    --move_timer;
    if (ramping && (spawn_speed > 1 || move_speed > 1)) ramp();
    return reward;
  }

  void ramp() {
    if (ramp_timer >= 0) {
      --ramp_timer;
      return;
    }
    if (move_speed > 1 && difficulty % 2 == 1) --move_speed;
    if (spawn_speed > 1) --spawn_speed;
    ++difficulty;
    ramp_timer = kRampInterval;
  }

  void observe(Planes<4> to) const {
    to.set(x, y, player);
    for (int i = 0; i < 8; ++i) {
      const Slot& slot = slots[size_t(i)];
      if (!slot.used) continue;
      to.set(slot.x, i + 1, slot.is_gold ? gold : enemy);
      to.set_if_on_board(slot.x - slot.direction(), i + 1, trail);
    }
  }

  template <class Fields>
  void fields(Fields& field) {
    field("x", x, 0, 9);
    field("y", y, 1, 8);
    field("spawn_speed", spawn_speed, 1, 10);
    field("spawn_timer", spawn_timer, 0, 10);
    field("move_speed", move_speed, 1, 5);
    field("move_timer", move_timer, 0, 5);
    field("ramp_timer", ramp_timer, -1, kRampInterval);
    field.list("slots", slots);
  }
};

}  // namespace

std::unique_ptr<MinAtar> make_asterix(const MinAtarOptions& options) { return std::make_unique<Playable<Asterix>>(options); }

}  // namespace zoo::rl::minatar
