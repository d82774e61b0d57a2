#include <libzoo/data/image_batches.h>

#include <libzoo/core/thread_pool.h>
#include <libzoo/data/lazy.h>
#include <libzoo/data/map.h>
#include <libzoo/data/rate_limit.h>
#include <libzoo/data/stages.h>

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/set.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <future>
#include <unordered_set>

namespace zoo::data {
namespace {

// What the copies of an echoed picture have in common: its pixels, or its values in a batch.
struct SharedPicture {
  io::Image pixels;
  std::vector<float> values;
};

// A picture's place in a batch.
using Place = Echoed<Lazy<SharedPicture>>;

class ImageBatches final : public Stage<ImageBatch> {
 public:
  ImageBatches(std::unique_ptr<Stage<Place>> tickets, DatasetPointer dataset, ImageTransform transform, const ImageBatchOptions& options)
      : tickets_(std::move(tickets)), dataset_(std::move(dataset)), transform_(std::move(transform)), options_(options) {
    if (options_.rate_limit > 0) rate_limit_.emplace(options_.rate_limit);
    by_epochs_ = !options_.replacement && !echoes();
    epoch_length_ = options_.shard ? shard_length(dataset_->size(), *options_.shard) : dataset_->size();
    tickets_->save(delivered_);
    start_threads();
  }
  ~ImageBatches() override {
    if (rate_limit_) rate_limit_->stop();
  }

  std::optional<ImageBatch> next() override {
    for (;;) {
      const size_t ahead = pool_ ? size_t(options_.prefetch) + 1 : 1;
      while (pending_.size() < ahead)
        if (!begin_batch()) break;
      if (pending_.empty()) return std::nullopt;
      const std::shared_ptr<Pending> head = pending_.front();
      const auto asked = Meter::Clock::now();
      for (auto& part : head->parts) part.get();
      batches_.waited(Meter::Clock::now() - asked);
      pending_.pop_front();
      if (!has_errors(*head)) {
        batches_.delivered(int64_t(pending_.size()));
        delivered_ = head->after;
        address_ = head->before;
        return std::move(head->batch);
      }
      leave_out(*head);
    }
  }

  void save(Position& position) const override { position.insert(position.end(), delivered_.begin(), delivered_.end()); }

  void load(PositionReader& position) override {
    rewind(position);
    delivered_.clear();
    tickets_->save(delivered_);
  }

  void locate(Position& address) const override { address.insert(address.end(), address_.begin(), address_.end()); }
  std::vector<ImageBatch> refetch(const std::vector<Position>& addresses) override { return refetch_by_position(*this, addresses); }

  void report(std::vector<StageReport>& reports) const override {
    tickets_->report(reports);
    reports.push_back(read_.report(kReadStage, 0, std::max(options_.workers, 1)));
    reports.push_back(transform_meter_.report("transform", 0, std::max(options_.workers, 1)));
    reports.push_back(batches_.report("batches", pool_ ? options_.prefetch + 1 : 0));
  }

  std::string describe() const override {
    return fmt::format("{} (workers={}, prefetch={})", identity(), options_.workers, options_.prefetch);
  }
  std::string identity() const override {
    return fmt::format("{} | {} -> {}x{}, seed={}{} | batch({}{}{})", tickets_->identity(), dataset_->describe(), transform_.height,
                       transform_.width, options_.seed, shares_values() ? ", copies alike" : "", options_.batch_size,
                       options_.drop_last ? ", drop last" : "",
                       options_.bad_items.on_bad_item == OnBadItem::skip ? ", skip bad items" : "");
  }

 private:
  struct Pending {
    ImageBatch batch;
    std::vector<Place> places;
    std::vector<std::exception_ptr> errors;  // one per picture
    std::vector<std::future<void>> parts;
    Position before, after;  // of the tickets
  };

  bool echoes() const { return !options_.echo.passes_through(); }
  bool shares_values() const { return echoes() && options_.echo_at == EchoPlacement::after_augment; }

  // The next batch's tickets; fewer than batch_size at the end of an epoch, none at the end of the stream.
  std::vector<Place> plan() {
    std::vector<Place> batch;
    for (int64_t pulled = 0;; ++pulled) {
      const bool none_left = int64_t(bad_.size()) >= dataset_->size();
      if (none_left || (by_epochs_ && pulled > 2 * epoch_length_ + options_.batch_size))
        throw UserError(
            fmt::format("{} unreadable pictures leave no batch of {} in {}", bad_.size(), options_.batch_size, dataset_->describe()),
            "repair the data, use smaller batches, or set drop_last to false");
      std::optional<Place> place = tickets_->next();
      if (!place) {
        if (options_.drop_last) batch.clear();
        return batch;
      }
      const Ticket ticket = place->item.ticket();
      if (!bad_.contains(ticket.index)) batch.push_back(std::move(*place));
      if (int64_t(batch.size()) == options_.batch_size) return batch;
      const bool epoch_ends = by_epochs_ && (ticket.position + 1) % epoch_length_ == 0;
      if (!epoch_ends || batch.empty()) continue;
      if (!options_.drop_last) return batch;
      batch.clear();
    }
  }

  void keep_own_part(std::vector<Place>& places) const {
    const auto [rank, ranks] = options_.part;
    if (ranks == 1) return;
    const auto n = int64_t(places.size());
    const auto from = places.begin() + n * rank / ranks, to = places.begin() + n * (rank + 1) / ranks;
    places = std::vector<Place>(std::make_move_iterator(from), std::make_move_iterator(to));
  }

  bool begin_batch() {
    auto pending = std::make_shared<Pending>();
    tickets_->save(pending->before);
    pending->places = plan();
    if (pending->places.empty()) return false;
    tickets_->save(pending->after);
    keep_own_part(pending->places);

    const auto n = int64_t(pending->places.size());
    pending->errors.resize(size_t(n));
    ImageBatch& batch = pending->batch;
    batch.images = images(n);
    for (const Place& place : pending->places) {
      const int64_t index = place.item.ticket().index;
      batch.indices.push_back(index);
      if (place.copy == 0) ++batch.fresh;
    }
    batch.labels = labels_of(batch.indices);

    float* out = batch.images.mutable_data_ptr<float>();
    if (!pool_) {
      make_pictures(*pending, out, 0, n);
    } else {
      const int64_t share = std::max<int64_t>(1, n / (4 * options_.workers));
      for (int64_t from = 0; from < n; from += share)
        pending->parts.push_back(pool_->submit(
            [this, pending = pending.get(), out, from, to = std::min(n, from + share)] { make_pictures(*pending, out, from, to); }));
    }
    pending_.push_back(std::move(pending));
    return true;
  }

  at::Tensor labels_of(const std::vector<int64_t>& indices) const {
    const auto n = int64_t(indices.size());
    const auto options = at::TensorOptions().pinned_memory(at::hasCUDA());
    if (dataset_->has_several_labels()) {
      const auto labels = at::zeros({n, dataset_->num_classes()}, options.dtype(at::kFloat));
      for (int64_t i = 0; i < n; ++i)
        for (const int64_t label : dataset_->labels(indices[size_t(i)]))
          labels.mutable_data_ptr<float>()[i * dataset_->num_classes() + label] = 1;
      return labels;
    }
    const auto labels = at::empty({n}, options.dtype(at::kLong));
    for (int64_t i = 0; i < n; ++i) labels.mutable_data_ptr<int64_t>()[i] = dataset_->label(indices[size_t(i)]);
    return labels;
  }

  // The memory of a batch that nobody holds any more is used again: having it mapped anew costs nearly as much as filling it.
  // Where a GPU may be copying it LibTorch alone knows when; it keeps such memory by itself.
  at::Tensor images(int64_t n) {
    const int64_t height = transform_.height, width = transform_.width;
    const auto floats = at::TensorOptions().dtype(at::kFloat);
    if (at::hasCUDA()) return at::empty({n, 3, height, width}, floats.memory_format(at::MemoryFormat::ChannelsLast).pinned_memory(true));
    for (const c10::Storage& kept : kept_)
      if (kept.use_count() == 1 && int64_t(kept.nbytes()) == n * values() * int64_t(sizeof(float)))
        return at::empty({0}, floats).set_(kept, 0, {n, 3, height, width}, {values(), 1, 3 * width, 3});
    at::Tensor images = at::empty({n, 3, height, width}, floats.memory_format(at::MemoryFormat::ChannelsLast));
    kept_.push_back(images.storage());
    if (int64_t(kept_.size()) > options_.prefetch + 2) kept_.pop_front();  // its holder has it for long
    return images;
  }

  void make_pictures(Pending& pending, float* out, int64_t from, int64_t to) const {
    for (int64_t i = from; i < to; ++i) {
      try {
        make_picture(pending.places[size_t(i)], out + i * values());
      } catch (...) {
        pending.errors[size_t(i)] = std::current_exception();
      }
    }
  }

  void make_picture(const Place& place, float* out) const {
    static thread_local Picture picture;  // keeps its memory
    if (!echoes()) {
      read(place.item.ticket(), picture);
      apply(picture, place, out);
    } else if (shares_values()) {
      const SharedPicture& shared = place.item.get([&](const Ticket& ticket) {
        SharedPicture made{.values = std::vector<float>(size_t(values()))};
        read(ticket, picture);
        apply(picture, place, made.values.data());
        return made;
      });
      std::memcpy(out, shared.values.data(), shared.values.size() * sizeof(float));
    } else {
      const SharedPicture& shared = place.item.get([&](const Ticket& ticket) {
        SharedPicture made;
        read(ticket, picture, &made.pixels);
        return made;
      });
      picture.set_pixels(View<uint8_t>(shared.pixels));
      apply(picture, place, out);
    }
  }

  // Decodes it too if the pixels are asked for; else that is left to the transform, which may need a part only.
  void read(const Ticket& ticket, Picture& picture, io::Image* pixels = nullptr) const {
    const auto begun = Meter::Clock::now();
    if (rate_limit_) rate_limit_->wait();
    dataset_->read(ticket.index, picture);
    if (pixels) *pixels = std::move(picture).image();
    read_.worked(Meter::Clock::now() - begun);
    read_.delivered();
  }

  // The copies of a picture differ unless they share their values.
  void apply(Picture& picture, const Place& place, float* out) const {
    const auto begun = Meter::Clock::now();
    RandomKey key = key_of(place.item.ticket());
    if (!shares_values()) key.copy = uint16_t(place.copy);
    transform_.apply(picture, key, out);
    transform_meter_.worked(Meter::Clock::now() - begun);
    transform_meter_.delivered();
  }

  int64_t values() const { return 3 * transform_.height * transform_.width; }

  // With replacement a picture can be drawn twice in an epoch, so there the place counts, not the picture.
  RandomKey key_of(const Ticket& ticket) const {
    const int64_t id = options_.replacement ? ticket.position % dataset_->size() : ticket.index;
    return {options_.seed, uint32_t(ticket.epoch), uint32_t(id), Purpose::augmentation, 0};
  }

  static bool has_errors(const Pending& pending) {
    return std::any_of(pending.errors.begin(), pending.errors.end(), [](const auto& error) { return bool(error); });
  }

  // Throws the first error, or notes the bad pictures and goes back to plan this batch without them.
  void leave_out(const Pending& pending) {
    for (size_t i = 0; i < pending.errors.size(); ++i) {
      if (!pending.errors[i]) continue;
      const int64_t index = pending.places[i].item.ticket().index;
      try {
        std::rethrow_exception(pending.errors[i]);
      } catch (const Error& error) {
        const std::string name = dataset_->item_name(index), what = error.what();
        const std::string message = what.find(name) == std::string::npos ? name + ": " + what : what;
        if (options_.bad_items.on_bad_item == OnBadItem::fail) throw UserError(message, error.hint());
        if (bad_.insert(index).second) report_bad_item(options_.bad_items, int64_t(bad_.size()), message);
      }
    }
    PositionReader reader(pending.before);
    rewind(reader);
  }

  void rewind(PositionReader& position) {
    if (!pending_.empty()) {
      pool_.reset();  // joins; what has not started never will
      pending_.clear();
      start_threads();
    }
    tickets_->load(position);
  }

  void start_threads() {
    if (options_.workers > 0) pool_ = std::make_unique<ThreadPool>(options_.workers);
  }

  std::unique_ptr<Stage<Place>> tickets_;
  DatasetPointer dataset_;
  ImageTransform transform_;
  ImageBatchOptions options_;
  int64_t epoch_length_ = 0;
  bool by_epochs_ = true;
  std::unordered_set<int64_t> bad_;
  mutable std::optional<RateLimit> rate_limit_;
  mutable Meter read_, transform_meter_;
  Meter batches_;
  Position delivered_, address_;
  std::deque<c10::Storage> kept_;
  std::deque<std::shared_ptr<Pending>> pending_;
  std::unique_ptr<ThreadPool> pool_;  // last: joined before anything its work uses goes away
};

void check(const ImageDataset& dataset, const ImageTransform& transform, const ImageBatchOptions& o) {
  const auto at_least = [](const char* name, int64_t value, int64_t least) {
    if (value < least) throw UserError(fmt::format("{} must be at least {}, got {}", name, least, value));
  };
  at_least("batch_size", o.batch_size, 1);
  if (o.part.rank < 0 || o.part.rank >= o.part.ranks)
    throw Error(fmt::format("part {} of {} is none of a batch", o.part.rank, o.part.ranks));
  if (o.batch_size % o.part.ranks != 0)
    throw UserError(fmt::format("batch_size {} can't be shared by {} ranks", o.batch_size, o.part.ranks), "use a multiple of the ranks");
  if (o.part.ranks > 1 && o.bad_items.on_bad_item == OnBadItem::skip)
    throw UserError("on_bad_item: skip would let the ranks go apart", "use on_bad_item: fail, or a single process");
  at_least("workers", o.workers, 0);
  at_least("prefetch", o.prefetch, 0);
  if (!(o.rate_limit >= 0)) throw UserError(fmt::format("rate_limit must be at least 0, got {}", o.rate_limit));
  at_least("max_bad_items", o.bad_items.max_bad_items, 0);
  at_least("the transform's height", transform.height, 1);
  at_least("the transform's width", transform.width, 1);
  if (!transform.apply) throw Error("the image transform has no function");
  if (dataset.size() == 0) throw UserError(fmt::format("{} has no pictures to make batches of", dataset.describe()));
  if (o.replacement && o.shard) throw UserError("replacement and shard can't be combined", "give each rank its own seed");
  const int64_t epoch = o.shard ? shard_length(dataset.size(), *o.shard) : dataset.size();
  if (!o.replacement && o.echo.passes_through() && o.drop_last && o.batch_size > epoch)
    throw UserError(
        fmt::format("batch_size {} is more than the {} pictures of an epoch, so that drop_last leaves none", o.batch_size, epoch),
        "use smaller batches, replacement, or drop_last: false");
}

}  // namespace

ImageBatch ImageBatch::to(const at::Device& device) const {
  return {images.to(device, /*non_blocking=*/true), labels.to(device, /*non_blocking=*/true), indices, fresh};
}

Stream<ImageBatch> image_batches(DatasetPointer dataset, ImageTransform transform, const ImageBatchOptions& options) {
  check(*dataset, transform, options);
  const int64_t n = dataset->size();
  Stream<Ticket> tickets =
      options.replacement
          ? with_replacement(n, options.seed)
          : indices(n, {.seed = options.seed, .shuffle = options.shuffle, .epochs = options.epochs, .shard = options.shard});
  if (options.replacement && options.epochs) tickets = std::move(tickets) | take(*options.epochs * n);
  const bool whole_batches = options.echo_at == EchoPlacement::batch;
  auto planned = std::move(tickets) | lazy<SharedPicture>() | echo(whole_batches ? EchoOptions{} : options.echo);
  ImageBatchOptions once = options;
  if (whole_batches) once.echo = {};
  Stream<ImageBatch> batches(
      std::make_unique<ImageBatches>(std::move(planned).take_stage(), std::move(dataset), std::move(transform), once));
  if (!whole_batches || options.echo.passes_through()) return batches;
  return std::move(batches) | echo(options.echo) |
         map(
             [](Echoed<ImageBatch> echoed) {
               if (echoed.copy > 0) echoed.item.fresh = 0;
               return std::move(echoed.item);
             },
             {.name = "copies"});
}

int64_t byte_size(const ImageBatch& batch) { return int64_t(batch.images.nbytes() + batch.labels.nbytes()); }

}  // namespace zoo::data
