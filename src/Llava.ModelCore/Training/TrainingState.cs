using System.Text.Json;
using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Training;

/// <summary>
/// Where a run stands, as <c>trainer_state.json</c> with the original trainer's names for what both have. The data order is a
/// function of the recipe's seed and the step, so the step is also the sampler's position.
/// </summary>
internal sealed record TrainingState
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "trainer_state.json";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Optimizer steps done.</summary>
    public required int GlobalStep { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int MaxSteps { get; init; }

    /// <summary>Passes over the data so far.</summary>
    public required double Epoch { get; init; }

    /// <summary>SHA-256 of the data file and of the samples used from it, in lower-case hexadecimal.</summary>
    public required string DataFingerprint { get; init; }

    /// <summary>The recipe the run was started with.</summary>
    public required JsonElement Recipe { get; init; }

    /// <summary>Every step so far.</summary>
    public required IReadOnlyList<LoggedStep> LogHistory { get; init; }

    /// <summary>Refuses to go on with another recipe or other data than the run was started with.</summary>
    /// <param name="now">What the present process would write.</param>
    /// <param name="folder">Folder this state is from, for the message.</param>
    /// <exception cref="TrainingException">They differ; the message names the fields.</exception>
    public void RequireSameRun(TrainingState now, string folder)
    {
        var differing = Recipe.EnumerateObject().Concat(now.Recipe.EnumerateObject()).Select(field => field.Name).Distinct()
            .Where(name => !TrainingRecipe.MayChangeOnResume(name) && !JsonElement.DeepEquals(Value(Recipe, name), Value(now.Recipe, name))).ToList();
        if (DataFingerprint != now.DataFingerprint)
        {
            differing.Add("the content of data");
        }

        if (differing.Count > 0)
        {
            throw new TrainingException($"'{folder}' belongs to a run that differs in {string.Join(", ", differing)}; going on would not be the same run. Restore these, or give the new run another output folder.");
        }

        static JsonElement Value(JsonElement recipe, string name) => recipe.TryGetProperty(name, out var value) ? value : default;
    }

    /// <summary>Writes the state into a folder.</summary>
    public void Save(string folder) =>
        TensorWriting.WriteWhole(Path.Combine(folder, FileName), stream => JsonSerializer.Serialize(stream, this, Json));

    /// <summary>Reads the state of a training checkpoint.</summary>
    /// <exception cref="TrainingException">The file is missing or is not ours.</exception>
    public static TrainingState Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return JsonSerializer.Deserialize<TrainingState>(File.ReadAllBytes(path), Json)!;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new TrainingException($"'{path}' cannot be read, so the run cannot be resumed: {e.Message} Remove the folder to resume from an earlier training checkpoint.", e);
        }
    }
}

/// <summary>A step in the log.</summary>
/// <param name="Step">Optimizer step, from 1.</param>
/// <param name="Epoch">Passes over the data after it.</param>
/// <param name="Loss">Mean over the micro-batches.</param>
/// <param name="LearningRate">Rate it used.</param>
/// <param name="GradNorm">Norm of the gradient before clipping.</param>
/// <param name="EvalLoss">Validation loss measured after it; null where it was not.</param>
internal sealed record LoggedStep(int Step, double Epoch, double Loss, double LearningRate, double GradNorm, double? EvalLoss = null);
