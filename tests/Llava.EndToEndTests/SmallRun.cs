using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Testing;

namespace Llava.EndToEndTests;

/// <summary>Runs of <c>llava train</c> on the small model of case G, in a folder that goes with it.</summary>
internal sealed class SmallRun : IDisposable
{
    // Products are the same to the bit with the same number of threads only.
    private static readonly (string, string)[] OneThread = [("OMP_NUM_THREADS", "1")];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-small-run-");

    /// <summary>A path in the folder.</summary>
    public string At(string path) => Path.Combine(_folder.FullName, path);

    /// <summary>Writes a recipe of fine-tuning in full, with other fields as asked for, and gives its path.</summary>
    public string Recipe(string name, JsonObject other)
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
            ["micro_batch"] = 2,
            ["gradient_accumulation"] = 2,
            ["save_steps"] = 2,
            ["learning_rate"] = 1e-3,
            ["precision"] = "fp32",
        };
        foreach (var (field, value) in other)
        {
            recipe[field] = value?.DeepClone();
        }

        File.WriteAllText(At(name + ".json"), recipe.ToJsonString());
        return At(name + ".json");
    }

    /// <summary>Starts training a recipe into a folder.</summary>
    public LlavaProcess Start(string recipe, string output) => LlavaProcess.Start(At("data"), OneThread.ToDictionary(), "train", recipe, "--out", At(output));

    /// <summary>Trains a recipe to its end.</summary>
    public async Task TrainAsync(string recipe, string output)
    {
        using var process = Start(recipe, output);
        var run = await process.FinishAsync();
        Assert.True(run.ExitCode == 0, run.Errors);
    }

    /// <summary>Step and loss of all steps that a finished run has behind it.</summary>
    public List<string> Losses(string output)
    {
        using var state = JsonDocument.Parse(File.ReadAllText(Path.Combine(At(output), "trainer_state.json")));
        return [.. state.RootElement.GetProperty("log_history").EnumerateArray().Select(step => $"{step.GetProperty("step")} {step.GetProperty("loss")}")];
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
