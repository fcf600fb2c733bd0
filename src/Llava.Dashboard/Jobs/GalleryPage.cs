using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Dashboard.Jobs;

/// <summary>A page of a gallery.</summary>
/// <param name="Job">The job.</param>
/// <param name="Query">What was asked for.</param>
/// <param name="Items">The items.</param>
/// <param name="HasMore">Whether there are more behind them.</param>
/// <param name="MayAct">Whether the reader may review.</param>
public sealed record GalleryPage(JobRecord Job, GalleryQuery Query, IReadOnlyList<GalleryItem> Items, bool HasMore, bool MayAct)
{
    /// <summary>Where the gallery is.</summary>
    public string Path => $"/jobs/{Job.Id}/gallery";

    /// <summary>Whether items may still come at the end: the job runs, and its items are shown in their order.</summary>
    public bool Grows => !HasMore && !Contracts.States.JobStates.Table.IsFinal(Job.State) && Query.Order is null;

    /// <summary>The query behind the last item.</summary>
    public GalleryQuery Next => Items.Count > 0 ? Query.Behind(Items[^1]) : Query;

    /// <summary>The item as a card.</summary>
    public GalleryCard Card(GalleryItem item) => new(Job, item, MayAct);

    /// <summary>Reads a page.</summary>
    public static async Task<GalleryPage> ReadAsync(GalleryReader gallery, JobRecord job, GalleryQuery query, bool mayAct, CancellationToken cancellation)
    {
        var items = await gallery.PageAsync(job.Id, query.Filter(), cancellation);
        return new(job, query, [.. items.Take(GalleryQuery.PageSize)], items.Count > GalleryQuery.PageSize, mayAct);
    }
}

/// <summary>An item with its result, as a card of a gallery.</summary>
/// <param name="Job">The job.</param>
/// <param name="Shown">The item.</param>
/// <param name="MayAct">Whether the reader may review.</param>
public sealed record GalleryCard(JobRecord Job, GalleryItem Shown, bool MayAct)
{
    /// <summary>Where its own page is.</summary>
    public string Path => $"/jobs/{Job.Id}/items/{Shown.Item.ItemNo}";

    /// <summary>Whether there is a picture to show: an image, and none that could not be read.</summary>
    public bool HasPicture => Shown.Item.Images.Count > 0 && Shown.Item.Result.Failure?.Code.StartsWith("image_", StringComparison.Ordinal) != true;

    /// <summary>What was asked; null where every item of the job was asked the same.</summary>
    public string? Asked => Shown.Item.Prompt;

    /// <summary>What was asked, whoever said it.</summary>
    public string? FullyAsked => PromptTemplate.Compose(Job.Request.Prompt, Shown.Item.Prompt);

    /// <summary>The text that holds: the edited one, else the model's.</summary>
    public string? Text => Shown.Review?.Text ?? Shown.Item.Result.Text;
}
