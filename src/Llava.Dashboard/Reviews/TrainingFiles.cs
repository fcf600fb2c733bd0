using System.Text.Encodings.Web;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Files;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;

namespace Llava.Dashboard.Reviews;

/// <summary>
/// Makes files to train on of the answers that people accepted or put right: LLaVA's conversation JSON, or OpenAI's chat JSON Lines. An item is a
/// sample with its image and two turns. Those whose image is not a file or URL of its own, or that have several, cannot be written that way and are left out.
/// </summary>
internal sealed class TrainingFiles(GalleryReader gallery, FileStore files)
{
    /// <summary>Names of the formats.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["llava", "openai"];

    private const string Purpose = "fine-tune";
    private const int Page = 512;
    private const int FlushBytes = 64 * 1024;

    private const string ReviewedMark = "-reviewed.json";

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes the file; only a page of items is in memory.</summary>
    /// <exception cref="ReviewRefusedException">There is no such format, or no reviewed answer to write.</exception>
    public async Task<FileRecord> CreateAsync(JobRecord job, string format, CancellationToken cancellation)
    {
        if (!Formats.Contains(format))
        {
            throw new ReviewRefusedException("unknown_format", $"There is no training format '{format}'; give {string.Join(" or ", Formats)}.");
        }

        var isLlava = format == "llava";
        await using var draft = await files.BeginAsync(job.Request.Tenant, cancellation);
        using MemoryStream buffer = new();
        var count = 0;
        await foreach (var item in UsableAsync(job, cancellation))
        {
            buffer.Write(!isLlava ? ""u8 : count == 0 ? "[\n"u8 : ",\n"u8);
            using (Utf8JsonWriter json = new(buffer, Readable))
            {
                Write(json, job, item, isLlava);
            }

            buffer.Write(isLlava ? ""u8 : "\n"u8);
            count++;
            if (buffer.Length >= FlushBytes)
            {
                await FlushAsync();
            }
        }

        if (count == 0)
        {
            throw new ReviewRefusedException("nothing_reviewed", $"Job '{job.Id}' has no accepted or edited answer about an image file; review some first.");
        }

        buffer.Write(isLlava ? "\n]\n"u8 : ""u8);
        await FlushAsync();
        return await draft.KeepAsync(new($"{job.Id}{ReviewedMark}{(isLlava ? "" : "l")}", Purpose), cancellation);

        async Task FlushAsync()
        {
            await draft.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellation);
            buffer.SetLength(0);
        }
    }

    /// <summary>The job whose reviewed answers the file was made of, as its name says; null for a file that came from elsewhere.</summary>
    public static JobId? JobOf(FileRecord file) =>
        file.Name.IndexOf(ReviewedMark, StringComparison.Ordinal) is var mark and > 0 && JobId.TryParse(file.Name.AsSpan(0, mark), null, out var job) ? job : null;

    private async IAsyncEnumerable<GalleryItem> UsableAsync(JobRecord job, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        GalleryFilter filter = new() { Limit = Page };
        for (var page = await gallery.PageAsync(job.Id, filter, cancellation); page.Count > 0; page = await gallery.PageAsync(job.Id, filter, cancellation))
        {
            foreach (var item in page.Where(item => item.Review?.Final is not null && item.Item.Images.Count <= 1 && item.Item.Images.All(IsWhole)))
            {
                yield return item;
            }

            filter = filter with { After = page[^1].Position };
        }
    }

    private static bool IsWhole(string image) => ImageLocation.IsUrl(image) || ImageLocation.Parse(image).Length is null;

    private static void Write(Utf8JsonWriter json, JobRecord job, GalleryItem shown, bool isLlava)
    {
        var (item, answer) = (shown.Item, shown.Review!.Final!);
        var (asked, image) = (PromptTemplate.Compose(job.Request.Prompt, item.Prompt) ?? "", item.Images.Count > 0 ? item.Images[0] : null);
        json.WriteStartObject();
        if (isLlava)
        {
            WriteLlava(json, item.CustomId, image is null ? null : NameOf(job.Request.Source, image), asked, answer);
        }
        else
        {
            WriteOpenAi(json, image is null || ImageLocation.IsUrl(image) ? image : new Uri(image).AbsoluteUri, asked, answer);
        }

        json.WriteEndObject();
    }

    private static void WriteLlava(Utf8JsonWriter json, string id, string? image, string asked, string answer)
    {
        json.WriteString("id", id);
        if (image is not null)
        {
            json.WriteString("image", image);
        }

        json.WriteStartArray("conversations");
        WriteTurn("human", image is null ? asked : $"<image>\n{asked}");
        WriteTurn("gpt", answer);
        json.WriteEndArray();

        void WriteTurn(string from, string value)
        {
            json.WriteStartObject();
            json.WriteString("from", from);
            json.WriteString("value", value);
            json.WriteEndObject();
        }
    }

    private static void WriteOpenAi(Utf8JsonWriter json, string? url, string asked, string answer)
    {
        json.WriteStartArray("messages");
        json.WriteStartObject();
        json.WriteString("role", "user");
        json.WriteStartArray("content");
        if (url is not null)
        {
            json.WriteStartObject();
            json.WriteString("type", "image_url");
            json.WriteStartObject("image_url");
            json.WriteString("url", url);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", asked);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteString("content", answer);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    /// <summary>The name below the folder that the source's names start from: what a recipe's image folder is put before.</summary>
    private static string NameOf(SourceDescription source, string image)
    {
        var folder = source.ImageFolder ?? (source.Kind == SourceKind.Folder ? source.Path : Path.GetDirectoryName(source.Path)!);
        return Path.IsPathRooted(image) && Path.GetRelativePath(folder, image) is var name && !name.StartsWith("..", StringComparison.Ordinal) ? name : image;
    }
}
