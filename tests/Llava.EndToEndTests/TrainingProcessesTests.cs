using System.Text.Json.Nodes;

namespace Llava.EndToEndTests;

/// <summary><c>llava train</c> with a recipe for several processes, which it starts itself.</summary>
public sealed class TrainingProcessesTests : IDisposable
{
    private const int Steps = 60;

    private readonly SmallRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Two_processes_have_the_losses_of_one_also_with_dropout_and_after_one_of_them_was_killed()
    {
        await _run.TrainAsync(Recipe(processes: 1), "alone");
        var recipe = Recipe(processes: 2);
        using (var killed = _run.Start(recipe, "shared"))
        {
            using CancellationTokenSource patience = new(TimeSpan.FromMinutes(3));
            while (!Directory.Exists(_run.At("shared")) || Directory.GetDirectories(_run.At("shared"), "checkpoint-*").Length == 0)
            {
                await Task.Delay(20, patience.Token);
            }

            using var other = killed.Children.Single();
            other.Kill();
            var run = await killed.FinishAsync();

            Assert.NotEqual(0, run.ExitCode);
            Assert.Contains("Process 1 of the training run has left", run.Errors, StringComparison.Ordinal);
        }

        await _run.TrainAsync(recipe, "shared");

        Assert.Equal(_run.Losses("alone"), _run.Losses("shared"));
        Assert.Equal(Steps, _run.Losses("shared").Count);
    }

    private string Recipe(int processes) => _run.Recipe($"processes-{processes}", new()
    {
        ["lora"] = new JsonObject { ["rank"] = 8, ["dropout"] = 0.1 },
        ["max_steps"] = Steps,
        ["processes"] = processes,
        ["zero"] = processes - 1,
    });
}
