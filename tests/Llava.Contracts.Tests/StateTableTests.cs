using Llava.Contracts.States;

namespace Llava.Contracts.Tests;

public sealed class StateTableTests
{
    /// <summary>The steps of design section 4, written out a second time: a change must be made on purpose in both places.</summary>
    private static readonly string[] JobSteps =
    [
        "validating>queued", "validating>paused", "validating>cancelling", "validating>failed", "validating>expired",
        "queued>running", "queued>paused", "queued>cancelling", "queued>failed", "queued>expired",
        "running>finalizing", "running>paused", "running>cancelling", "running>failed", "running>expired",
        "paused>validating", "paused>queued", "paused>cancelling", "paused>expired",
        "finalizing>completed", "cancelling>cancelled",
        "completed>queued", "cancelled>queued", "expired>queued",
    ];

    private static readonly string[] ChunkSteps = ["open>leased", "open>done", "leased>open", "leased>done", "done>open"];

    [Fact]
    public void Every_pair_of_job_states_is_allowed_or_refused_as_written() => AssertSteps(JobStates.Table, JobSteps, ends: ["completed", "cancelled", "failed", "expired"]);

    [Fact]
    public void Every_pair_of_chunk_states_is_allowed_or_refused_as_written() => AssertSteps(ChunkStates.Table, ChunkSteps, ends: ["done"]);

    [Fact]
    public void Every_pair_of_part_states_is_allowed_or_refused_as_written() => AssertSteps(PartStates.Table, ["waiting>done", "waiting>failed"], ends: ["done", "failed"]);

    [Fact]
    public void Every_pair_of_states_of_training_runs_is_allowed_or_refused_as_written() => AssertSteps(
        TrainingRunStates.Table,
        [
            "waiting>validating_files", "waiting>paused", "waiting>failed", "waiting>cancelled",
            "validating_files>queued", "validating_files>paused", "validating_files>failed", "validating_files>cancelled",
            "queued>running", "queued>paused", "queued>cancelled",
            "running>queued", "running>paused", "running>succeeded", "running>failed", "running>cancelled",
            "paused>waiting", "paused>validating_files", "paused>queued", "paused>failed", "paused>cancelled",
        ],
        ends: ["succeeded", "failed", "cancelled"]);

    [Fact]
    public void No_outcome_follows_another() => AssertSteps(ItemOutcomes.Table, [], ends: ["succeeded", "failed", "cancelled", "expired"]);

    [Fact]
    public void Job_states_are_spelled_as_the_batch_api_spells_them() => Assert.Equal(
        ["validating", "queued", "running", "paused", "finalizing", "completed", "cancelling", "cancelled", "failed", "expired"],
        JobStates.Table.States.Select(JobStates.WireName));

    [Fact]
    public void Every_state_can_be_parsed_from_its_name() =>
        Assert.All(JobStates.Table.States, state => Assert.Equal(state, JobStates.Table.Parse(state.WireName())));

    [Fact]
    public void A_name_that_is_no_state_is_refused_with_those_there_are() =>
        Assert.Contains("cancelled, cancelling", Assert.Throws<FormatException>(() => JobStates.Table.Parse("done")).Message, StringComparison.Ordinal);

    [Fact]
    public void From_every_state_that_is_not_final_a_final_one_can_be_reached()
    {
        Assert.All(JobStates.Table.States, state => Assert.True(ReachesEnd(state, [])));

        static bool ReachesEnd(JobState state, HashSet<JobState> seen) =>
            state.IsFinal() || (seen.Add(state) && JobStates.Table.Next(state).Any(next => ReachesEnd(next, seen)));
    }

    [Fact]
    public void What_follows_an_end_only_when_it_is_opened_again_is_not_offered_as_next() =>
        Assert.All(JobStates.Table.States.Where(JobStates.IsFinal), state => Assert.Empty(JobStates.Table.Next(state)));

    private static void AssertSteps<TState>(StateTable<TState> table, string[] steps, string[] ends)
        where TState : struct, Enum
    {
        Assert.Equal(Enum.GetValues<TState>().Order(), table.States.Order());
        foreach (var from in table.States)
        {
            Assert.Equal(ends.Contains(table.WireName(from)), table.IsFinal(from));
            foreach (var to in table.States)
            {
                Assert.Equal(steps.Contains($"{table.WireName(from)}>{table.WireName(to)}"), table.Allows(from, to));
            }
        }
    }
}
