using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

public sealed class StepPlannerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Thousands_of_random_arrivals_all_finish_once_within_every_bound(int seed)
    {
        var random = new Random(seed);
        var options = new EngineOptions
        {
            MaxSlots = random.Next(1, 20),
            PrefillChunkTokens = random.Next(16, 60),
            MaxStepTokens = random.Next(80, 200),
            PrefixCacheEntries = random.Next(0, 4) * 3,
        };
        var planner = new StepPlanner(options, kvPositions: random.Next(400, 2000));
        var images = Enumerable.Range(0, 20).Select(_ => Requests.Picture(random)).ToArray();
        var simulation = new PlannerSimulation(planner, options);
        for (var i = 0; i < 3000; i++)
        {
            if (random.Next(3) == 0)
            {
                simulation.Step(random, mayCancel: true);
            }

            var request = random.Next(2) == 0
                ? Requests.Text(random, random.Next(1, 120), random.Next(1, 40), (RequestPriority)random.Next(3))
                : Requests.Question(random, images[random.Next(images.Length)], random.Next(0, 40), random.Next(1, 40));
            simulation.Submit(request.ToSequence());
        }

        simulation.RunToTheEnd(random);
        Assert.All(simulation.Submitted, sequence => Assert.Equal(1, simulation.Finished[sequence]));
        Assert.Equal(0, planner.KvReserved);
    }

    [Fact]
    public void Steps_without_number_keep_every_sequence_to_its_own_keys_and_values()
    {
        var random = new Random(5);
        var options = new EngineOptions { MaxSlots = 12, PrefillChunkTokens = 24, MaxStepTokens = 120, PrefixCacheEntries = 8 };
        var planner = new StepPlanner(options, kvPositions: 1200);
        var simulation = new PlannerSimulation(planner, options);
        var images = Enumerable.Range(0, 12).Select(_ => Requests.Picture(random)).ToArray();
        for (var step = 0; step < Soak.Steps(quick: 4000); step++)
        {
            // Now nothing, now more than there is room for.
            for (var arrivals = planner.WaitingCount < 40 ? random.Next(4) - 1 : 0; arrivals > 0; arrivals--)
            {
                var request = random.Next(3) == 0
                    ? Requests.Text(random, random.Next(1, 120), random.Next(1, 40), (RequestPriority)random.Next(3))
                    : Requests.Question(random, images[random.Next(images.Length)], random.Next(0, 40), random.Next(1, 40)) with { SharesWholePrompt = random.Next(4) == 0 };
                simulation.Submit(request.ToSequence());
            }

            simulation.Step(random, mayCancel: true);
        }

        simulation.RunToTheEnd(random);
        Assert.All(simulation.Submitted, sequence => Assert.Equal(1, simulation.Finished[sequence]));
        Assert.Equal(0, planner.KvReserved);
        Assert.True(simulation.PrefixHits > 300 && simulation.Cancelled > 300, $"{simulation.PrefixHits} prefixes were shared, {simulation.Cancelled} sequences cancelled.");
    }

    [Fact]
    public void The_head_of_the_queue_is_never_passed_by_a_smaller_request()
    {
        var random = new Random(1);
        var planner = new StepPlanner(new EngineOptions(), kvPositions: 256);
        var simulation = new PlannerSimulation(planner, new EngineOptions());
        var first = simulation.Submit(Requests.Text(random, 100, 28).ToSequence());
        var large = simulation.Submit(Requests.Text(random, 180, 20).ToSequence());
        var small = simulation.Submit(Requests.Text(random, 10, 6).ToSequence());

        simulation.Step(random);
        Assert.Equal([first], planner.Running);
        simulation.RunToTheEnd(random);
        Assert.Equal([first, large, small], simulation.AdmissionOrder);
    }

    [Fact]
    public void Interactive_requests_go_first_and_bulk_still_gets_its_turn()
    {
        var random = new Random(1);
        var options = new EngineOptions { MaxSlots = 1 };
        var simulation = new PlannerSimulation(new StepPlanner(options, kvPositions: 256), options);
        var bulk = Enumerable.Range(0, 2).Select(_ => simulation.Submit(Requests.Text(random, 4, 2).ToSequence())).ToArray();
        for (var i = 0; i < 30; i++)
        {
            simulation.Submit(Requests.Text(random, 4, 2, RequestPriority.Interactive).ToSequence());
        }

        simulation.RunToTheEnd(random);
        Assert.Equal(WaitingQueue.MostInARow, simulation.AdmissionOrder.IndexOf(bulk[0]));
        Assert.Equal((2 * WaitingQueue.MostInARow) + 1, simulation.AdmissionOrder.IndexOf(bulk[1]));
    }

    [Fact]
    public void Express_requests_go_between_interactive_ones_and_bulk()
    {
        var random = new Random(1);
        var options = new EngineOptions { MaxSlots = 1 };
        var simulation = new PlannerSimulation(new StepPlanner(options, kvPositions: 256), options);
        var bulk = simulation.Submit(Requests.Text(random, 4, 2).ToSequence());
        var express = simulation.Submit(Requests.Text(random, 4, 2, RequestPriority.Express).ToSequence());
        var interactive = simulation.Submit(Requests.Text(random, 4, 2, RequestPriority.Interactive).ToSequence());

        simulation.RunToTheEnd(random);

        Assert.Equal([interactive, express, bulk], simulation.AdmissionOrder);
    }

    [Fact]
    public void Questions_on_one_image_compute_its_prefix_once()
    {
        var random = new Random(1);
        var options = new EngineOptions();
        var simulation = new PlannerSimulation(new StepPlanner(options, kvPositions: 4096), options);
        var image = Requests.Picture(random);
        var questions = Enumerable.Range(0, 5).Select(i => simulation.Submit(Requests.Question(random, image, 6, 8).ToSequence())).ToArray();
        simulation.RunToTheEnd(random);

        var prefix = questions[0].Layout.PrefixPositions;
        Assert.Equal(9, prefix);
        Assert.Equal(prefix + (5 * 6), simulation.PrefilledTokens);
        Assert.Equal([0, prefix, prefix, prefix, prefix], questions.Select(q => q.CachedPositions));

        var late = simulation.Submit(Requests.Question(random, image, 6, 8).ToSequence());
        simulation.RunToTheEnd(random);
        Assert.Equal(prefix, late.CachedPositions);
    }

    [Fact]
    public void When_the_builder_of_a_prefix_is_cancelled_a_waiting_question_builds_it()
    {
        var random = new Random(1);
        var options = new EngineOptions { PrefillChunkTokens = 16, MaxStepTokens = 64 };
        var planner = new StepPlanner(options, kvPositions: 4096);
        var simulation = new PlannerSimulation(planner, options);
        var request = Requests.Question(random, Requests.Picture(random), 4, 4);
        request = request with { PromptTokens = [.. Requests.Words(random, 100), .. request.PromptTokens] };
        var builder = simulation.Submit(request.ToSequence());
        var other = simulation.Submit(request.ToSequence());
        simulation.Step(random);
        Assert.InRange(builder.Computed, 1, builder.Layout.PrefixPositions - 1);
        Assert.Equal(0, other.Computed);

        Assert.True(planner.Remove(builder));
        simulation.RunToTheEnd(random, except: builder);
        Assert.Equal((0, 1), (other.CachedPositions, simulation.Finished[other]));
    }

    [Fact]
    public void A_prefix_is_shared_only_when_its_last_chunk_is_done()
    {
        var random = new Random(1);
        var options = new EngineOptions { PrefillChunkTokens = 16, MaxStepTokens = 64 };
        var planner = new StepPlanner(options, kvPositions: 4096);
        var request = Requests.Question(random, Requests.Picture(random), 4, 4);
        request = request with { PromptTokens = [.. Requests.Words(random, 20), .. request.PromptTokens] };
        var (builder, other) = (request.ToSequence(), request.ToSequence());
        planner.Enqueue(builder);
        planner.Enqueue(other);
        var chunks = planner.Plan().Prefills.ToArray();
        Assert.Equal([16, 13, 4], chunks.Select(c => c.Count));

        // The step computed the first chunk; the second failed with its sequence.
        StepPlanner.Confirm(chunks[0]);
        planner.Remove(builder);
        var plan = planner.Plan();
        Assert.Empty(plan.Copies);
        Assert.Equal((other, 0), (plan.Prefills[0].Sequence, plan.Prefills[0].FirstPosition));
    }

    [Fact]
    public void Idle_prefixes_give_way_to_a_request_that_needs_their_place()
    {
        var random = new Random(1);
        var options = new EngineOptions();
        var planner = new StepPlanner(options, kvPositions: 160);
        var simulation = new PlannerSimulation(planner, options);
        for (var i = 0; i < 4; i++)
        {
            simulation.Submit(Requests.Question(random, Requests.Picture(random), 4, 4).ToSequence());
        }

        simulation.RunToTheEnd(random);
        var all = simulation.Submit(Requests.Text(random, 100, 60).ToSequence());
        simulation.RunToTheEnd(random);
        Assert.Equal(1, simulation.Finished[all]);
    }

    [Fact]
    public void Chunks_of_a_sequence_do_not_depend_on_its_neighbours()
    {
        var random = new Random(1);
        var options = new EngineOptions { PrefillChunkTokens = 16, MaxStepTokens = 64 };
        var request = Requests.Question(random, Requests.Picture(random), 50, 3);
        var alone = Chunks([]);
        var crowded = Chunks([.. Enumerable.Range(0, 10).Select(_ => Requests.Text(random, 45, 5).ToSequence())]);

        Assert.Equal([(0, 9), (9, 16), (25, 16), (41, 16), (57, 2)], alone);
        Assert.Equal(alone, crowded);

        List<(int First, int Count)> Chunks(Sequence[] neighbours)
        {
            var simulation = new PlannerSimulation(new StepPlanner(options, kvPositions: 4096), options);
            Array.ForEach(neighbours, n => simulation.Submit(n));
            var sequence = simulation.Submit(request.ToSequence());
            simulation.RunToTheEnd(random);
            return simulation.ChunksOf(sequence);
        }
    }
}
