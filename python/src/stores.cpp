// Stores opened for reading, truths with their rankings, and reports.
#include <filesystem>
#include <limits>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/run/inputs.hpp"
#include "host/run/leaderboard.hpp"
#include "host/run/store_view.hpp"
#include "python/src/bind.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::python {
namespace {

// Rows that are on their way to Python, column by column.
class Chunk {
 public:
  Chunk(const Environment& environment, std::size_t rows) : environment_(environment), rows_(rows) {}

  [[nodiscard]] bool is_full() const { return status_.size() >= rows_; }
  [[nodiscard]] bool is_empty() const { return status_.empty(); }

  void add(const PricedCandidate& candidate) {
    workload_.push_back(candidate.workload);
    candidate_.push_back(candidate.candidate);
    status_.push_back(candidate.row.status);
    designs_.insert(designs_.end(), candidate.design.begin(), candidate.design.end());
    counters_.insert(counters_.end(), candidate.row.counters.begin(), candidate.row.counters.end());
    for (const double metric : candidate.metrics) {
      metrics_.push_back(candidate.row.status == 0 ? metric : std::numeric_limits<double>::quiet_NaN());
    }
    if (environment_.artifact()) artifacts_.emplace_back(candidate.row.artifact);
  }

  // workload, candidate, status, designs (row, parameter), counters (row, counter), metrics (row, metric), artifacts or None.
  nb::tuple take() {
    const std::size_t count = status_.size();
    nb::tuple columns =
        nb::make_tuple(give(std::exchange(workload_, {})), give(std::exchange(candidate_, {})), give(std::exchange(status_, {})),
                       give(std::exchange(designs_, {}), {count, environment_.parameters().size()}),
                       give(std::exchange(counters_, {}), {count, environment_.counters().size()}),
                       give(std::exchange(metrics_, {}), {count, environment_.metrics().size()}),
                       environment_.artifact() ? nb::cast(std::exchange(artifacts_, {})) : nb::none());
    return columns;
  }

 private:
  const Environment& environment_;
  std::size_t rows_;
  std::vector<std::uint32_t> workload_;
  std::vector<std::uint64_t> candidate_;
  std::vector<std::uint8_t> status_;
  std::vector<std::int64_t> designs_;
  std::vector<std::uint64_t> counters_;
  std::vector<double> metrics_;
  std::vector<std::string> artifacts_;
};

class StoreReader {
 public:
  StoreReader(const std::string& path, nb::object listener) : opened_(open(path, std::move(listener))) {}

  [[nodiscard]] const OpenedStore& opened() const { return opened_; }

  nb::dict about() const {
    nb::dict row;
    row["environment"] = opened_.environment.name();
    row["kind"] = opened_.kind;
    row["keep"] = opened_.keep;
    row["sample"] = opened_.sample;
    row["seed"] = opened_.seed;
    row["space"] = opened_.space.to_json();
    nb::list workloads;
    for (const auto& workload : opened_.workloads) workloads.append(workload->name);
    row["workloads"] = workloads;
    row["identity"] = opened_.store.identity();
    row["notes"] = opened_.store.notes();
    row["objective"] = objective_for(opened_, "").text();
    row["results"] = opened_.store.result_count();
    return row;
  }

  // Calls visit(columns) for so many rows at a time.
  void for_each_chunk(std::size_t rows, const nb::object& visit) const {
    const nb::gil_scoped_release released;
    Chunk chunk(opened_.environment, rows);
    const auto hand_over = [&] {
      check_signals();
      const nb::gil_scoped_acquire acquired;
      visit(chunk.take());
    };
    for_each_priced(opened_, [&](const PricedCandidate& candidate) {
      chunk.add(candidate);
      if (chunk.is_full()) hand_over();
    });
    if (!chunk.is_empty()) hand_over();
  }

  // generation, candidates, requested, simulated, costs (candidate, objective)
  nb::list generations() const {
    nb::list rows;
    if (opened_.kind != "search") return rows;
    for_each_generation(opened_, [&](const StoredGeneration& g) {
      const std::size_t candidates = g.genes.size() / opened_.space.dimensions();
      rows.append(
          nb::make_tuple(g.generation, candidates, g.requested, g.simulated, give(g.costs, {candidates, opened_.objectives})));
    });
    return rows;
  }

  // The lines of `exarch best` about a workload.
  nb::list best(std::uint32_t workload, const std::string& objective, std::size_t lines) const {
    const Objective by = objective_for(opened_, objective);
    Leaderboard board(lines);
    {
      const nb::gil_scoped_release released;
      for_each_priced(opened_, [&](const PricedCandidate& c) {
        if (c.workload != workload) return;
        const Score score = by.score(c.metrics, c.row.status == 0);
        if (score.cost < kInfinity)
          board.offer(score, c.result, c.candidate, c.design, c.metrics, c.row.counters, c.row.artifact);
      });
    }
    nb::list rows;
    for (const auto& [order, entry] : board.entries()) {
      nb::dict row;
      row["value"] = entry.item.value;
      row["cost"] = std::get<0>(order);
      row["candidates"] = entry.item.candidates;
      row["design"] = give(entry.item.design);
      row["metrics"] = entry.item.metrics;
      row["counters"] = entry.item.counters;
      rows.append(row);
    }
    return rows;
  }

 private:
  static OpenedStore open(const std::string& path, nb::object listener) {
    if (is_store_of(path, StoreKind::study)) throw UsageError(path + " is the store of a study; see exarch.Study");
    PythonObserver observer(std::move(listener));
    const nb::gil_scoped_release released;
    return open_store(path, observer);
  }

  OpenedStore opened_;
};

// The truth about a workload under an objective. It does not need the store any more.
class TruthReader {
 public:
  TruthReader(const StoreReader& reader, std::uint32_t workload, const std::string& objective)
      : environment_(reader.opened().environment),
        space_(reader.opened().space),
        objective_(objective_for(reader.opened(), objective)) {
    const OpenedStore& opened = reader.opened();
    if (workload >= opened.workloads.size()) throw UsageError("the store has no workload " + std::to_string(workload));
    const nb::gil_scoped_release released;
    table_ = std::make_unique<TruthTable>(truth_of(opened, workload, space_));
    ranking_ = std::make_unique<Ranking>(*table_, objective_);
    if (!ranking_->feasible()) {
      throw Error(opened.workloads[workload]->name + ": no design is feasible by " + objective_.text());
    }
  }

  nb::dict about() const {
    const std::uint32_t best = ranking_->best_group();
    nb::dict row;
    row["objective"] = objective_.text();
    row["designs"] = table_->points();
    row["feasible_designs"] = ranking_->feasible_designs();
    row["optimum"] = objective_.score(table_->metrics(best), true).value;
    row["optimum_cost"] = ranking_->optimum();
    row["optimal_designs"] = ranking_->optimal_designs();
    row["best_point"] = table_->first_point(best);
    row["best_design"] = give(design_at(table_->space(), table_->first_point(best)));
    return row;
  }

  Out<double> costs(const In<std::uint64_t, 1>& points) const {
    return each(points, [&](std::uint64_t point) { return ranking_->cost(point); });
  }
  Out<double> all_costs() const {
    std::vector<double> values(table_->points());
    for (std::uint64_t point = 0; point < values.size(); ++point) values[point] = ranking_->cost(point);
    return give(std::move(values));
  }
  Out<std::uint64_t> ranks(const In<double, 1>& costs) const {
    std::vector<std::uint64_t> ranks(costs.size());
    for (std::size_t i = 0; i < ranks.size(); ++i) ranks[i] = ranking_->rank(costs(i));
    return give(std::move(ranks));
  }
  Out<double> regrets(const In<double, 1>& costs) const {
    std::vector<double> values(costs.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = ranking_->regret(costs(i));
    return give(std::move(values));
  }
  Out<double> relative_regrets(const In<double, 1>& costs) const {
    std::vector<double> values(costs.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = ranking_->relative_regret(costs(i));
    return give(std::move(values));
  }
  // Its first points and metrics (design, metric).
  nb::tuple front() const {
    std::vector<std::uint64_t> points;
    std::vector<double> metrics;
    for (const std::uint32_t group : table_->pareto_front(objective_)) {
      points.push_back(table_->first_point(group));
      const auto row = table_->metrics(group);
      metrics.insert(metrics.end(), row.begin(), row.end());
    }
    const std::size_t count = points.size();
    return nb::make_tuple(give(std::move(points)), give(std::move(metrics), {count, environment_.metrics().size()}));
  }
  nb::dict importance() const {
    nb::dict rows;
    const auto importance = ranking_->importance();
    for (std::size_t p = 0; p < importance.size(); ++p) {
      if (table_->space().values(p).size() == 1) continue;
      rows[table_->space().parameters()[p].name.c_str()] = nb::make_tuple(importance[p].alone, importance[p].total);
    }
    return rows;
  }

 private:
  template <class Body>
  Out<double> each(const In<std::uint64_t, 1>& points, const Body& body) const {
    std::vector<double> values(points.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (points(i) >= table_->points()) throw UsageError("point " + std::to_string(points(i)) + " is not one of the space's");
      values[i] = body(points(i));
    }
    return give(std::move(values));
  }

  const Environment& environment_;
  DesignSpace space_;
  Objective objective_;
  std::unique_ptr<TruthTable> table_;
  std::unique_ptr<Ranking> ranking_;
};

// Runs the verb `report`, in this process, so that it knows models written in Python.
void report(const std::vector<std::string>& arguments) {
  std::vector<std::string> texts{"report"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  const nb::gil_scoped_release released;
  cli::kReportVerb.run(cli::parse(cli::kReportVerb, static_cast<int>(texts.size()), argv.data()));
}

}  // namespace

void add_stores(nb::module_& m) {
  nb::class_<StoreReader>(m, "StoreReader", "A run store, read.")
      .def(nb::init<const std::string&, nb::object>(), "path"_a, "listener"_a.none())
      .def("about", &StoreReader::about)
      .def("for_each_chunk", &StoreReader::for_each_chunk, "rows"_a, "visit"_a)
      .def("generations", &StoreReader::generations)
      .def("best", &StoreReader::best, "workload"_a, "objective"_a, "lines"_a);
  nb::class_<TruthReader>(m, "TruthReader", "The truth about a workload under an objective.")
      .def(nb::init<const StoreReader&, std::uint32_t, const std::string&>(), "store"_a, "workload"_a, "objective"_a)
      .def("about", &TruthReader::about)
      .def("costs", &TruthReader::costs, "points"_a)
      .def("all_costs", &TruthReader::all_costs)
      .def("ranks", &TruthReader::ranks, "costs"_a)
      .def("regrets", &TruthReader::regrets, "costs"_a)
      .def("relative_regrets", &TruthReader::relative_regrets, "costs"_a)
      .def("front", &TruthReader::front)
      .def("importance", &TruthReader::importance);
  m.def("report", &report, "arguments"_a, "Writes the report of a store; the arguments of exarch report.");
}

}  // namespace exarch::python
