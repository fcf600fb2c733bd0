namespace Llava.Dashboard.OpenApi;

/// <summary>What places of paths, queries and forms mean; a name means the same on every route.</summary>
internal static class ParameterWords
{
    private static readonly Dictionary<string, string> All = new(StringComparer.Ordinal)
    {
        ["action"] = "Only actions that begin so.",
        ["actor"] = "Only of actors that begin so.",
        ["after"] = "Goes on behind this one: what the page before said, or its last id.",
        ["batch"] = "Id of a batch.",
        ["code"] = "Only results that failed for this cause.",
        ["data"] = "The bytes of the part.",
        ["delivery"] = "Id of a delivery.",
        ["expires_after[anchor]"] = "created_at.",
        ["expires_after[seconds]"] = "How long the file is kept.",
        ["file"] = "Id of a file; in a form its bytes.",
        ["format"] = "jsonl, csv, parquet, coco, webdataset, answers, openai, openai-errors or timeline.",
        ["Idempotency-Key"] = "A second request with the same key returns the first one's job.",
        ["item"] = "Number of an item within its job, from 0.",
        ["job"] = "Id of a job; below /v1 of a training run.",
        ["limit"] = "Most entries of the page.",
        ["model"] = "Name of a model; it may hold slashes.",
        ["name"] = "Name of a schedule.",
        ["order"] = "desc for the newest first, which is usual, or asc.",
        ["outcome"] = "Only results that ended so: succeeded, failed, cancelled or expired.",
        ["purpose"] = "assistants, batch, evals, fine-tune, user_data or vision; in lists only files for it.",
        ["state"] = "Only those in this state.",
        ["target"] = "Only what was done to things whose name begins so.",
        ["tenant"] = "Only of this tenant; for admins.",
        ["upload"] = "Id of an upload.",
        ["webhook"] = "Id of a webhook.",
    };

    /// <summary>The meaning; null for a name that has none.</summary>
    public static string? Of(string name) => All.GetValueOrDefault(name);
}
