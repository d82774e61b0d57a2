// Seaquest: a submarine under water shoots fish and enemy submarines, collects divers, and surfaces for air. Lists keep the order of
// creation: loops over what moves go from the newest to the oldest, searches for what is hit from the oldest.
#include <libzoo/rl/minatar/game.h>

#include <algorithm>

namespace zoo::rl::minatar {
namespace {

struct Thing {  // a bullet; with a timer: a diver or a fish; with two: an enemy submarine
  int x = 0, y = 0;
  bool to_right = false;
  int timer = 0, shot_timer = 0;

  int direction() const { return to_right ? 1 : -1; }
  bool at(int other_x, int other_y) const { return x == other_x && y == other_y; }
  bool move() {  // false: it left the board
    x += direction();
    return on_board(x);
  }

  template <class Fields>
  void fields(Fields& field) {
    field("x", x, 0, 9);
    field("y", y, 0, 9);
    field("to_right", to_right);
    field("timer", timer);
    field("shot_timer", shot_timer);
  }
};
using Things = std::vector<Thing>;

void remove(Things& things, size_t index) { things.erase(things.begin() + std::ptrdiff_t(index)); }

// Removes the oldest on that cell; false: there is none.
bool remove_first_at(Things& things, int x, int y) {
  for (size_t i = 0; i < things.size(); ++i)
    if (things[i].at(x, y)) return remove(things, i), true;
  return false;
}

struct Seaquest {
  static constexpr const char* kName = "minatar/seaquest";
  static constexpr std::string_view kChannels[] = {"sub_front",  "sub_back",  "friendly_bullet", "trail",       "enemy_bullet",
                                                   "enemy_fish", "enemy_sub", "oxygen_gauge",    "diver_gauge", "diver"};
  static constexpr std::string_view kLetters = "@o*-+fs=:d";
  static constexpr int64_t kMinimal[] = {noop, left, up, right, down, fire};
  enum Channel { sub_front, sub_back, friendly_bullet, trail, enemy_bullet, enemy_fish, enemy_sub, oxygen_gauge, diver_gauge, diver };
  static constexpr int kOxygen = 200, kFull = 6, kSpawn = 20, kMove = 5, kFastestMove = 2, kDiverSpawn = 30, kDiverMove = 5, kShot = 5,
                       kEnemyShot = 10;

  int difficulty = 0;
  bool terminal = false, to_right = false, at_surface = true;
  int x = 5, y = 0, oxygen = kOxygen, held = 0, spawn_speed = kSpawn, spawn_timer = kSpawn, diver_timer = kDiverSpawn, move_speed = kMove,
      shot_timer = 0;
  Things bullets = {}, divers = {}, subs = {}, enemy_bullets = {}, fish = {};

  void reset(WordSource&) {
    for (Things* things : {&bullets, &divers, &subs, &enemy_bullets, &fish}) things->clear();
    difficulty = 0;
    terminal = to_right = false;
    at_surface = true;
    x = 5;
    y = 0;
    oxygen = kOxygen;
    held = shot_timer = 0;
    spawn_speed = spawn_timer = kSpawn;
    diver_timer = kDiverSpawn;
    move_speed = kMove;
  }

  bool on_player(const Thing& thing) const { return thing.at(x, y); }

  int step(int64_t action, bool ramping, WordSource& random) {
    if (spawn_timer == 0) {
      spawn_enemy(random);
      spawn_timer = spawn_speed;
    }
    if (diver_timer == 0) {
      spawn_diver(random);
      diver_timer = kDiverSpawn;
    }
    act(action);
    int reward = move_bullets();
    move_divers();
    reward += move_subs();
    move_enemy_bullets();
    reward += move_fish();
    for (int* timer : {&spawn_timer, &diver_timer, &shot_timer})
      if (*timer > 0) --*timer;
    if (oxygen <= 0) terminal = true;
    if (y > 0) {
      --oxygen;
      at_surface = false;
    } else if (!at_surface) {
      if (held == 0)
        terminal = true;
      else
        reward += surface(ramping);
    }
    return reward;
  }

  void spawn_enemy(WordSource& random) {
    const bool right_going = random.uniform() < 0.5, is_sub = random.uniform() < 1.0 / 3;
    const int row = int(random.integer(1, 9));
    const auto opposed = [&](const Thing& other) { return other.y == row && other.to_right != right_going; };
    if (std::any_of(fish.begin(), fish.end(), opposed) || std::any_of(subs.begin(), subs.end(), opposed)) return;
    (is_sub ? subs : fish).push_back({right_going ? 0 : 9, row, right_going, move_speed, is_sub ? kEnemyShot : 0});
  }

  void spawn_diver(WordSource& random) {
    const bool right_going = random.uniform() < 0.5;
    divers.push_back({right_going ? 0 : 9, int(random.integer(1, 9)), right_going, kDiverMove, 0});
  }

  void act(int64_t action) {
    switch (action) {
      case fire:
        if (shot_timer > 0) return;
        bullets.push_back({x, y, to_right});
        shot_timer = kShot;
        return;
      case left:
      case right:
        to_right = action == right;
        x = std::clamp(x + (to_right ? 1 : -1), 0, 9);
        return;
      case up: y = std::max(y - 1, 0); return;
      case down: y = std::min(y + 1, 8); return;
      default: return;
    }
  }

  int move_bullets() {
    int reward = 0;
    for (size_t i = bullets.size(); i-- > 0;) {
      Thing& bullet = bullets[i];
      if (!bullet.move()) {
        remove(bullets, i);
      } else if (remove_first_at(fish, bullet.x, bullet.y) || remove_first_at(subs, bullet.x, bullet.y)) {
        remove(bullets, i);
        ++reward;
      }
    }
    return reward;
  }

  void move_divers() {
    for (size_t i = divers.size(); i-- > 0;) {
      Thing& one = divers[i];
      const auto picked_up = [&] {
        if (!on_player(one) || held >= kFull) return false;
        ++held;
        return true;
      };
      if (picked_up()) {
        remove(divers, i);
      } else if (one.timer == 0) {
        one.timer = kDiverMove;
        if (!one.move() || picked_up()) remove(divers, i);
      } else {
        --one.timer;
      }
    }
  }

  // What fish and enemy submarines do alike. Says whether it is gone; adds to the reward.
  bool advance(Thing& enemy, int& reward) {
    if (on_player(enemy)) terminal = true;
    if (enemy.timer > 0) {
      --enemy.timer;
      return false;
    }
    enemy.timer = move_speed;
    if (!enemy.move()) return true;
    if (on_player(enemy)) {
      terminal = true;
    } else if (remove_first_at(bullets, enemy.x, enemy.y)) {
      ++reward;
      return true;
    }
    return false;
  }

  int move_subs() {
    int reward = 0;
    for (size_t i = subs.size(); i-- > 0;) {
      Thing& sub = subs[i];
      const bool gone = advance(sub, reward);
      if (sub.shot_timer == 0) {  // also when it was removed just now
        sub.shot_timer = kEnemyShot;
        enemy_bullets.push_back({sub.x, sub.y, sub.to_right});
      } else {
        --sub.shot_timer;
      }
      if (gone) remove(subs, i);
    }
    return reward;
  }

  void move_enemy_bullets() {
    for (size_t i = enemy_bullets.size(); i-- > 0;) {
      Thing& bullet = enemy_bullets[i];
      if (on_player(bullet)) terminal = true;
      if (!bullet.move())
        remove(enemy_bullets, i);
      else if (on_player(bullet))
        terminal = true;
    }
  }

  int move_fish() {
    int reward = 0;
    for (size_t i = fish.size(); i-- > 0;)
      if (advance(fish[i], reward)) remove(fish, i);
    return reward;
  }

  // After a full load `held` is -1, and the next surfacing succeeds again: a rule of the game.
  int surface(bool ramping) {
    int reward = 0;
    at_surface = true;
    if (held == kFull) {
      held = 0;
      reward = oxygen_cells();
    }
    oxygen = kOxygen;
    --held;
    if (ramping && (spawn_speed > 1 || move_speed > kFastestMove)) {
      if (move_speed > kFastestMove && difficulty % 2 == 1) --move_speed;
      if (spawn_speed > 1) --spawn_speed;
      ++difficulty;
    }
    return reward;
  }

  int oxygen_cells() const { return std::max(0, oxygen) * kSide / kOxygen; }

  void observe(Planes<10> to) const {
    to.set(x, y, sub_front);
    to.set_if_on_board(to_right ? x - 1 : x + 1, y, sub_back);
    for (int i = 0; i < oxygen_cells(); ++i) to.set(i, 9, oxygen_gauge);
    for (int i = 9 - held; i < 9; ++i) to.set(i, 9, diver_gauge);
    for (const Thing& bullet : bullets) to.set(bullet.x, bullet.y, friendly_bullet);
    for (const Thing& bullet : enemy_bullets) to.set(bullet.x, bullet.y, enemy_bullet);
    show(to, fish, enemy_fish);
    show(to, subs, enemy_sub);
    show(to, divers, diver);
  }

  static void show(Planes<10> to, const Things& things, int channel) {
    for (const Thing& thing : things) {
      to.set(thing.x, thing.y, channel);
      to.set_if_on_board(thing.x - thing.direction(), thing.y, trail);
    }
  }

  template <class Fields>
  void fields(Fields& field) {
    field("to_right", to_right);
    field("at_surface", at_surface);
    field("x", x, 0, 9);
    field("y", y, 0, 8);
    field("oxygen", oxygen, -1, kOxygen);
    field("held", held, -kTimerMax, kFull);
    field("spawn_speed", spawn_speed, 1, kSpawn);
    field("spawn_timer", spawn_timer, 0, kSpawn);
    field("diver_timer", diver_timer, 0, kDiverSpawn);
    field("move_speed", move_speed, kFastestMove, kMove);
    field("shot_timer", shot_timer, 0, kShot);
    field.list("bullets", bullets);
    field.list("divers", divers);
    field.list("subs", subs);
    field.list("enemy_bullets", enemy_bullets);
    field.list("fish", fish);
  }
};

}  // namespace

std::unique_ptr<MinAtar> make_seaquest(const MinAtarOptions& options) { return std::make_unique<Playable<Seaquest>>(options); }

}  // namespace zoo::rl::minatar
