using Llava.Ledger.Workers;

namespace Llava.Dashboard.Models;

/// <summary>A model as the page shows it: what consumers serve of it, what lies in the folder, and where it comes from.</summary>
/// <param name="Name">By which jobs ask for it.</param>
/// <param name="Served">Live consumers that serve it.</param>
/// <param name="Stored">What lies in the folder; null where it is not there.</param>
/// <param name="Lineage">Where it comes from; null for a model that was not trained here.</param>
internal sealed record ModelView(string Name, IReadOnlyList<ServedModel> Served, FolderModel? Stored, ModelLineage? Lineage)
{
    /// <summary>In a word: the best of what consumers say.</summary>
    public string State => Served.Count == 0 ? "not served"
        : Served.Any(model => model.State == ModelState.Loaded) ? "loaded"
        : Served.Any(model => model.State == ModelState.Loading) ? "loading"
        : Served.All(model => model.State == ModelState.Failed) ? "failed"
        : "unloaded";

    /// <summary>Revisions of its weights; several while consumers are being renewed.</summary>
    public IReadOnlyList<string> Revisions { get; } = [.. Served.Select(model => model.Revision).Where(revision => revision.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Why consumers cannot load it, or why it cannot be read.</summary>
    public IReadOnlyList<string> Problems { get; } = [.. Served.Select(model => model.Failure).Append(Stored?.Problem).OfType<string>().Distinct()];
}
