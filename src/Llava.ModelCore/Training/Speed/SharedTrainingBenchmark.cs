using System.Diagnostics;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training.Parallel;

namespace Llava.ModelCore.Training.Speed;

/// <summary>
/// Optimizer steps of as many micro-batches as there are ranks, in turn by rank 0 alone while the others wait, and by all of them, each with one thread: whatever
/// else the machine does meets both alike.
/// </summary>
/// <param name="settings">What is measured; its tokens are those of a micro-batch.</param>
/// <param name="zero">What the ranks share out beside the micro-batches: <see cref="TrainingRecipe.Zero"/>.</param>
public sealed class SharedTrainingBenchmark(TrainingBenchmarkSettings settings, int zero)
{
    /// <summary>Measures; every rank calls it.</summary>
    /// <returns>The same on all ranks.</returns>
    public SharedTrainingFigures Run(ICollective ranks)
    {
        TorchThreads.Use(1);
        var batch = RandomWork.Batch(settings);
        using var model = RandomWork.Model(new LlavaConfig { LanguageModel = settings.Model });
        var recipe = new TrainingRecipe { Stage = TrainingStage.InstructionTuning, LearningRate = RandomWork.NoRate, WarmupRatio = 0, Precision = settings.Precision, GradientAccumulation = ranks.Size };
        TimedCollective timed = new(ranks);
        using var alone = ranks.Rank == 0 ? new Trainer(model, recipe, int.MaxValue) : null;
        using var shared = new Trainer(model, recipe with { Processes = ranks.Size, Zero = zero }, int.MaxValue, timed);
        Turn(ranks, () => alone?.Step([.. Enumerable.Repeat(batch, ranks.Size)]));
        Turn(ranks, () => shared.Step([batch]));
        List<double[]> rounds = [];
        for (var round = 0; round < settings.Rounds; round++)
        {
            var one = Turn(ranks, () => alone?.Step([.. Enumerable.Repeat(batch, ranks.Size)]));
            timed.Spent = TimeSpan.Zero;
            var all = Turn(ranks, () => shared.Step([batch]));
            var spent = ranks.Gather([one.Wall, one.Cpu, all.Wall, all.Cpu, timed.Spent.TotalSeconds]);
            rounds.Add([spent[0][0], spent[0][1], spent.Max(rank => rank[2]), spent.Max(rank => rank[3]), spent.Max(rank => rank[4])]);
        }

        double Median(int figure) => rounds.Select(round => round[figure]).Order().ElementAt(rounds.Count / 2);
        return new()
        {
            Processes = ranks.Size,
            Zero = zero,
            Tokens = settings.Tokens * ranks.Size,
            Rounds = settings.Rounds,
            SecondsAlone = Median(0),
            SecondsShared = Median(2),
            Speedup = rounds.Select(round => round[0] / round[2]).Order().ElementAt(rounds.Count / 2),
            CpuSecondsAlone = Median(1),
            CpuSecondsOfBusiestProcess = Median(3),
            CpuSpeedup = rounds.Select(round => round[1] / round[3]).Order().ElementAt(rounds.Count / 2),
            SecondsTogether = Median(4),
        };
    }

    /// <summary>All ranks begin together, and the next thing begins when all are done.</summary>
    private static (double Wall, double Cpu) Turn(ICollective ranks, Action step)
    {
        ranks.Barrier();
        var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        step();
        var spent = (Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        ranks.Barrier();
        return spent;
    }
}

/// <summary>What <see cref="SharedTrainingBenchmark"/> came to; medians over the rounds.</summary>
public sealed record SharedTrainingFigures
{
    /// <summary>Processes, of one thread each.</summary>
    public required int Processes { get; init; }

    /// <summary>What they share out beside the micro-batches.</summary>
    public required int Zero { get; init; }

    /// <summary>Tokens of a step.</summary>
    public required int Tokens { get; init; }

    /// <summary>Steps of which the median counts.</summary>
    public required int Rounds { get; init; }

    /// <summary>A step by one process, by the clock.</summary>
    public required double SecondsAlone { get; init; }

    /// <summary>The same step by all, by the clock.</summary>
    public required double SecondsShared { get; init; }

    /// <summary>The first by the second, round by round.</summary>
    public required double Speedup { get; init; }

    /// <summary>Processor time of a step by one process.</summary>
    public required double CpuSecondsAlone { get; init; }

    /// <summary>Processor time of the same step by all, in the process that takes most.</summary>
    public required double CpuSecondsOfBusiestProcess { get; init; }

    /// <summary>The first by the second, round by round: what the clock would show, did each process have a core for itself and never wait.</summary>
    public required double CpuSpeedup { get; init; }

    /// <summary>What a step spends exchanging and waiting for others, by the clock, in the process that spends most.</summary>
    public required double SecondsTogether { get; init; }
}
