using System.Diagnostics;
using System.Runtime.Versioning;
using Llava.Benchmarks.Gpu;
using Llava.Benchmarks.Gpu.Parts;
using Llava.Benchmarks.Gpu.Report;
using Llava.ModelCore.Tests.Engine.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Evaluation;

/// <summary>The benchmark of a GPU, end to end and very small, on the device that the processor plays: every form and every stage, but no figure that means anything.</summary>
[SupportedOSPlatform("linux")]
public sealed class GpuBenchmarkTests : IDisposable
{
    private static readonly string[] GreedyForms = ["sampling on the device", "tokens that are read late", "graphs", "two streams"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_parts_come_to_their_end_every_form_is_right_and_the_baselines_best_batch_stands_beside_ours()
    {
        // What Python would say; a PyTorch with transformers cannot be had here.
        var python = Script("""
            case "$2" in *pixels*) echo '{"losses": [4.0, 4.0, 4.0]}'; exit;; esac
            case "$1" in *training*) echo '{"form": "lora", "samples_per_second": 0.25, "gigabytes_used": 3}'; exit;; esac
            echo '{"batch": 1, "answer_tokens": 4, "images_per_second": 0.25}'
            echo '{"batch": 2, "answer_tokens": 4, "images_per_second": 0.5}'
            """);
        BenchLines lines = new(_folder.File("bench.jsonl"));

        var isWhole = BenchRun.Run(Settings(python), lines, TextWriter.Null);

        Assert.Equal(BenchRun.Parts.Where(part => !part.IsApart).Select(part => (part.Name, "done", (string?)null)), lines.Of("part").Select(part => ((string)part["part"]!, (string)part["outcome"]!, (string?)part["message"])));
        Assert.True(isWhole);
        Assert.Equal(7, lines.Of("forms").Count(form => (bool)form["holds"]! && (double)form["worst_relative_error"]! is > 0 and < 0.05));
        Assert.Equal(GreedyForms, lines.Of("greedy").Select(form => (string)form["form"]!));
        Assert.All(lines.Of("greedy"), form => Assert.True((int)form["equal"]! == (int)form["tokens"]! || (int)form["ties"]! > 0));
        Assert.Equal([(1, 0), (2, 0), (1, 16), (2, 16)], lines.Of("interactive").Select(one => ((int)one["sequences"]!, (int)one["graph_rows"]!)));
        Assert.All(lines.Of("interactive"), one => Assert.True((double)one["milliseconds_per_token"]! > 0 && one["notice"] is null));
        Assert.Equal(["two streams"], lines.Of("engine").TakeLast(1).Select(engine => (string)engine["stage"]!));
        Assert.Equal(4 * BenchSizes.Tiny.ProductRows.Count, lines.Of("fp8 product").Count());
        Assert.Equal([4, 4, 4, 4, 4, 4, 4, 4, 2, 4], lines.Of("engine").Select(engine => (int)engine["answer_tokens"]!));
        Assert.Equal(lines.Written.Count, File.ReadAllLines(_folder.File("bench.jsonl")).Length);
        Assert.All(lines.Of("photos"), photos => Assert.Equal((5, 4), ((int)photos["images"]!, (int)photos["answer_tokens"]!)));
        Assert.Contains("| tiny, 4 tokens | ", BenchTable.Of(lines.Written), StringComparison.Ordinal);
        var ratio = BenchRatio.Of(lines.Written).First();
        Assert.Equal((2, 0.5), (ratio.Batch, ratio.Baseline));
        Assert.Contains("| tiny, 4 | 0.5 (2) |", BenchTable.Of(lines.Written), StringComparison.Ordinal);
        Assert.Equal(2, lines.Of("baseline again").Count());
        Assert.Contains("tiny, 4 tokens", BenchPlot.Svg(lines.Written), StringComparison.Ordinal);
        Assert.Equal([("alignment", null), ("lora", 0.25), ("full", (double?)null)], TrainingRatio.Of(lines.Written).Select(form => (form.Form, form.Baseline)));
        Assert.All(TrainingRatio.Of(lines.Written), form => Assert.True(form is { SamplesPerSecond: > 0, Share: > 0 }));
        Assert.Contains("| tiny, lora | 0.25 |", BenchTable.Of(lines.Written), StringComparison.Ordinal);
        Assert.Contains("tiny, training, full", BenchPlot.Svg(lines.Written), StringComparison.Ordinal);
        // A vocabulary of 96, and two tokens behind it filled up to 128: what knows nothing loses about ln 128.
        var losses = Assert.Single(lines.Of("training losses"));
        Assert.Equal(3, losses["ours"]!.AsArray().Count);
        Assert.InRange((double)losses["ours"]![0]!, 3, 8);
        Assert.True((double)losses["ours"]![2]! < (double)losses["ours"]![0]!);
        Assert.True((double)losses["worst_relative_difference"]! > 0);
    }

    [Fact]
    public void The_parts_together_take_less_than_a_command_may() => Assert.InRange(BenchRun.Parts.Where(part => !part.IsApart).Sum(part => part.Budget), 500, 590);

    [Fact]
    public async Task The_scripts_are_Python()
    {
        foreach (var script in (string[])[PythonScript.Answers, PythonScript.Training])
        {
            ProcessStartInfo start = new("python3", ["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", Path.Combine(AppContext.BaseDirectory, script)]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var said = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, said);
        }
    }

    [Fact]
    public void Small_cards_are_measured_when_they_are_asked_for()
    {
        BenchLines lines = new(_folder.File("bench.jsonl"));

        Assert.True(BenchRun.Run(Settings(python: ""), lines, TextWriter.Null, [new SmallCardsPart()]));

        Assert.Equal(["int4", "nf4"], lines.Of("small cards").Select(figures => (string)figures["stage"]!));
        Assert.Contains("| tiny, nf4 | ", BenchTable.Of(lines.Written), StringComparison.Ordinal);
    }

    [Fact]
    public void A_baseline_that_fails_is_told_and_the_rest_is_measured()
    {
        BenchLines lines = new(_folder.File("bench.jsonl"));

        Assert.False(BenchRun.Run(Settings(Script("exit 7")), lines, TextWriter.Null, [new BaselinePart(), new EnvironmentPart()]));

        Assert.Contains("exit code 7", (string)lines.Of("part").First()["message"]!, StringComparison.Ordinal);
        Assert.Equal("done", (string?)lines.Of("part").Last()["outcome"]);
    }

    [Fact]
    public void A_baseline_that_hangs_is_ended_when_its_time_is_over()
    {
        BenchLines lines = new(_folder.File("bench.jsonl"));
        PartTime time = new(budget: 1);

        Assert.Throws<PartCutException>(() => BaselinePart.Measure(Settings(Script("sleep 600")), lines, BenchSizes.Tiny.Models[0], [4], [1], "baseline", time));

        Assert.InRange(time.Elapsed, 1, 300);
    }

    private static BenchSettings Settings(string python) => new() { Open = () => EmulatedSession.Open(), Device = CPU, Sizes = BenchSizes.Tiny, Python = python };

    private string Script(string commands)
    {
        File.WriteAllText(_folder.File("python"), $"#!/bin/sh\n{commands}\n");
        File.SetUnixFileMode(_folder.File("python"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return _folder.File("python");
    }
}
