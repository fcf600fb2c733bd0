using System.Text.Json.Serialization;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.OpenAi.Models;

/// <summary>A model that is served, with what OpenAI's object does not say behind what it does.</summary>
/// <param name="Id">Name that requests ask for.</param>
/// <param name="Created">Since when a worker that lives has been there, or since when the model was trained, in Unix seconds.</param>
/// <param name="Revisions">Revisions of its weights that workers have.</param>
/// <param name="State">The best that any worker can say: <c>loaded</c>, <c>loading</c>, <c>unloaded</c> or <c>failed</c>.</param>
/// <param name="Slots">Sequences that all its workers run at the same time.</param>
/// <param name="Workers">How many workers answer for it.</param>
/// <param name="OwnedBy">Whose it is: the tenant's that had it trained, or <c>llava</c>.</param>
/// <param name="Parent">The model that it was trained from, in vLLM's words; null for one that was not trained here.</param>
internal sealed record ModelObject(string Id, long Created, IReadOnlyList<string> Revisions, ModelState State, int Slots, int Workers, string OwnedBy, string? Parent)
{
    public string Object { get; } = "model";

    /// <summary>The model that was asked for, in vLLM's words.</summary>
    public string Root => Id;

    public IReadOnlyList<string> Modalities { get; } = ["text", "image"];

    public static ModelObject Of(string name, IReadOnlyList<(WorkerRecord Worker, ServedModel Model)> served, TrainingRunRecord? run) => new(
        name,
        (run?.FinishedAt ?? served.Min(one => one.Worker.RegisteredAt)).ToUnixTimeSeconds(),
        [.. served.Select(one => one.Model.Revision).Where(revision => revision.Length > 0).Distinct().Order(StringComparer.Ordinal)],
        served.Min(one => Rank(one.Model.State)).State,
        served.Sum(one => one.Model.Slots),
        served.Count,
        run?.Request.Tenant ?? "llava",
        run?.Request.Model);

    private static (int Order, ModelState State) Rank(ModelState state) => (state switch
    {
        ModelState.Loaded => 0,
        ModelState.Loading => 1,
        ModelState.Unloaded => 2,
        _ => 3,
    }, state);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ModelObject))]
[JsonSerializable(typeof(OpenAiPage<ModelObject>))]
internal sealed partial class ModelJson : JsonSerializerContext;
