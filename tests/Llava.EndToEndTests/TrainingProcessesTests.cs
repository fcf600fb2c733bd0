using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary><c>llava train</c> with a recipe for several processes, which it starts itself.</summary>
public sealed class TrainingProcessesTests : IDisposable
{
    private const int Steps = 60;

    // Products are the same to the bit with the same number of threads only.
    private static readonly (string, string)[] OneThread = [("OMP_NUM_THREADS", "1")];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-processes-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Two_processes_have_the_losses_of_one_also_with_dropout_and_after_one_of_them_was_killed()
    {
        var alone = await LlavaProcess.RunWithAsync(Data, OneThread, "train", Recipe("alone", processes: 1), "--out", At("alone"));
        Assert.True(alone.ExitCode == 0, alone.Errors);

        using (var killed = LlavaProcess.Start(Data, OneThread.ToDictionary(), "train", Recipe("shared", processes: 2), "--out", At("shared")))
        {
            using CancellationTokenSource patience = new(TimeSpan.FromMinutes(3));
            while (!Directory.Exists(At("shared")) || Directory.GetDirectories(At("shared"), "checkpoint-*").Length == 0)
            {
                await Task.Delay(20, patience.Token);
            }

            using var other = killed.Children.Single();
            other.Kill();
            var run = await killed.FinishAsync();

            Assert.NotEqual(0, run.ExitCode);
            Assert.Contains("Process 1 of the training run has left", run.Errors, StringComparison.Ordinal);
        }

        var shared = await LlavaProcess.RunWithAsync(Data, OneThread, "train", At("shared.json"), "--out", At("shared"));
        Assert.True(shared.ExitCode == 0, shared.Errors);
        Assert.Equal(Losses("alone"), Losses("shared"));
        Assert.Equal(Steps, Losses("shared").Count);
    }

    private string Data => At("data");

    private string At(string path) => Path.Combine(_folder.FullName, path);

    /// <summary>An adapter on the small model of case G.</summary>
    private string Recipe(string name, int processes)
    {
        var fixtures = Path.Combine(Repository.Root, "tests", "Fixtures", "G_training_parity");
        JsonObject recipe = new()
        {
            ["stage"] = "instruction_tuning",
            ["base"] = Path.Combine(fixtures, "vicuna-tiny"),
            ["vision_tower"] = Path.Combine(fixtures, "openai", "clip-vit-tiny-patch14-42"),
            ["projector"] = Path.Combine(fixtures, "mm_projector_init.bin"),
            ["data"] = Path.Combine(fixtures, "data_instruct.json"),
            ["image_folder"] = Path.Combine(fixtures, "images"),
            ["skip_bad_samples"] = true,
            ["template"] = "v1",
            ["lora"] = new JsonObject { ["rank"] = 8, ["dropout"] = 0.1 },
            ["micro_batch"] = 2,
            ["gradient_accumulation"] = 2,
            ["max_steps"] = Steps,
            ["save_steps"] = 2,
            ["learning_rate"] = 1e-3,
            ["precision"] = "fp32",
            ["processes"] = processes,
            ["zero"] = processes - 1,
        };
        File.WriteAllText(At(name + ".json"), recipe.ToJsonString());
        return At(name + ".json");
    }

    private List<string> Losses(string run)
    {
        using var state = JsonDocument.Parse(File.ReadAllText(At($"{run}/trainer_state.json")));
        return [.. state.RootElement.GetProperty("log_history").EnumerateArray().Select(step => $"{step.GetProperty("step")} {step.GetProperty("loss")}")];
    }
}
