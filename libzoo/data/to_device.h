// to_device(device): hands every item on as item.to(device), for items that hold tensors. The copy is asked for without
// waiting: image_batches() fills memory that a GPU reads directly, so that the training thread goes on while it is made.
//
//   auto batches = image_batches(train, transform, options) | to_device(at::kCUDA);
#pragma once

#include <libzoo/data/stream.h>

#include <c10/core/Device.h>

namespace zoo::data {

template <class T>
class ToDeviceStage final : public StageOn<T> {
  using StageOn<T>::upstream_;

 public:
  ToDeviceStage(std::unique_ptr<Stage<T>> upstream, at::Device device) : StageOn<T>(std::move(upstream)), device_(device) {}

  std::optional<T> next() override {
    std::optional<T> item = upstream_->next();
    return item ? std::optional(item->to(device_)) : std::nullopt;
  }
  void save(Position& position) const override { upstream_->save(position); }
  void load(PositionReader& position) override { upstream_->load(position); }
  void locate(Position& address) const override { upstream_->locate(address); }
  std::vector<T> refetch(const std::vector<Position>& addresses) override {
    std::vector<T> items = upstream_->refetch(addresses);
    for (T& item : items) item = item.to(device_);
    return items;
  }
  void report(std::vector<StageReport>& reports) const override { upstream_->report(reports); }

 private:
  // Where a run trains changes no item.
  std::string name(bool with_speed) const override { return with_speed ? "to_device(" + device_.str() + ")" : ""; }

  at::Device device_;
};

struct ToDevice {
  at::Device device;
  template <class T>
  auto attach(std::unique_ptr<Stage<T>> upstream) && {
    return std::make_unique<ToDeviceStage<T>>(std::move(upstream), device);
  }
};

inline ToDevice to_device(at::Device device) { return {device}; }

}  // namespace zoo::data
