#include "project/span_folds.h"

#include "project/observed_span.h"

namespace weir::project {

using event::Field;
using event::Type;

void SpanFolds::apply(const event::EventView& event, const TakeSpan& take) {
  if (event.type() == Type::kPipelineFetched && event.has(Field::kTargetRunId)) {
    const auto target = RunId::parse(event.text(Field::kTargetRunId));
    if (!target || *target == event.run_id()) return;
    folds_[RunKey{*target, std::string(event.text(Field::kTenantId))}].hear(event);
    return;
  }
  if (!may_be_in_spans(event)) return;
  if (event.type() == Type::kSpan && ObservedSpan::of(event).is_of_trace) {
    return observed_.apply(event, take);
  }
  auto key = RunKey::of(event);
  auto& fold = folds_[key];
  const bool had_ended = fold.has_ended();
  fold.apply(event, take);
  if (event.type() == Type::kPipelineStarted) {
    const auto previous = RunId::parse(fold.previous_run_id());
    const auto known = previous ? folds_.find({*previous, key.tenant_id}) : folds_.end();
    if (known != folds_.end() && known->second.has_begun()) {
      fold.link_to_previous(known->second.root());
    }
  }
  if (had_ended || !fold.has_ended()) return;
  ended_.push_back(std::move(key));
  if (ended_.size() <= kMaxEnded) return;
  if (auto oldest = folds_.extract(ended_.front())) oldest.mapped().finish(take);
  ended_.pop_front();
}

void SpanFolds::finish(const TakeSpan& take) {
  for (auto& [key, fold] : folds_) fold.finish(take);
  folds_.clear();
  ended_.clear();
}

}  // namespace weir::project
