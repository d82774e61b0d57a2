// Freeway: a chicken crosses eight lanes of cars; an episode lasts 2501 steps.
#include <libzoo/rl/minatar/game.h>

#include <algorithm>
#include <cstdlib>

namespace zoo::rl::minatar {
namespace {

struct Freeway {
  static constexpr const char* kName = "minatar/freeway";
  static constexpr std::string_view kChannels[] = {"chicken", "car", "speed1", "speed2", "speed3", "speed4", "speed5"};
  static constexpr std::string_view kLetters = "^#12345";
  static constexpr int64_t kMinimal[] = {noop, up, down};
  enum Channel { chicken, car, speed };  // speed + s - 1 for the speed s
  static constexpr int kPlayerSpeed = 3, kTime = 2500, kPlayerX = 4;

  struct Car {
    int x = 0, timer = 0, velocity = 1;  // 1 … 5 steps of waiting, negative to the left

    template <class Fields>
    void fields(Fields& field) {
      field("x", x, 0, 9);
      field("timer", timer, 0, 5);
      bool to_left = velocity < 0;
      int size = std::abs(velocity);
      field("to_left", to_left);
      field("wait", size, 1, 5);
      velocity = to_left ? -size : size;
    }
  };

  int difficulty = 0;
  bool terminal = false;
  int y = 9, move_timer = kPlayerSpeed, time = kTime;
  std::array<Car, 8> cars{};  // car i on row i + 1

  void draw_cars(WordSource& random) {
    for (Car& car : cars) car.timer = int(random.integer(1, 6));
    for (Car& car : cars) car.velocity = random.uniform() > 0.5 ? car.timer : -car.timer;
  }

  void reset(WordSource& random) {
    *this = {};
    draw_cars(random);
  }

  void hit(int row) {
    if (cars[size_t(row - 1)].x == kPlayerX && y == row) y = 9;
  }

  int step(int64_t action, bool, WordSource& random) {
    int reward = 0;
    if ((action == up || action == down) && move_timer == 0) {
      move_timer = kPlayerSpeed;
      y = action == up ? std::max(y - 1, 0) : std::min(y + 1, 9);
    }
    if (y == 0) {
      reward = 1;
      draw_cars(random);
      y = 9;
    }
    for (int row = 1; row <= 8; ++row) {
      Car& car = cars[size_t(row - 1)];
      hit(row);
      if (car.timer == 0) {
        car.timer = std::abs(car.velocity);
        car.x = neighbour(car.x, car.velocity > 0 ? 1 : -1);
        hit(row);
      } else {
        --car.timer;
      }
    }
    if (move_timer > 0) --move_timer;
    if (--time < 0) terminal = true;
    return reward;
  }

  static int neighbour(int x, int direction) {  // the board is round
    const int next = x + direction;
    return next < 0 ? 9 : next > 9 ? 0 : next;
  }

  void observe(Planes<7> to) const {
    to.set(kPlayerX, y, chicken);
    for (int row = 1; row <= 8; ++row) {
      const Car& c = cars[size_t(row - 1)];
      to.set(c.x, row, car);
      to.set(neighbour(c.x, c.velocity > 0 ? -1 : 1), row, speed + std::abs(c.velocity) - 1);
    }
  }

  template <class Fields>
  void fields(Fields& field) {
    field("y", y, 0, 9);
    field("move_timer", move_timer, 0, kPlayerSpeed);
    field("time", time, -1, kTime);
    field.list("cars", cars);
  }
};

}  // namespace

std::unique_ptr<MinAtar> make_freeway(const MinAtarOptions& options) { return std::make_unique<Playable<Freeway>>(options); }

}  // namespace zoo::rl::minatar
