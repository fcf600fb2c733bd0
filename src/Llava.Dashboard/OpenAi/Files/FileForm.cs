using Llava.Ledger.Files;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary>The form that brings a file: its fields may come in any order, and the bytes are on the disk before the last is read.</summary>
internal sealed class FileForm(FileStore files, FileStoreOptions options)
{
    /// <summary>Room for the fields beside the file.</summary>
    public const int FieldBytes = 1 << 20;

    /// <summary>Keeps the file that the form brings.</summary>
    /// <exception cref="OpenAiException">A field is missing or wrong.</exception>
    /// <exception cref="FileRefusedException">The file is too long.</exception>
    public async Task<FileRecord> ReceiveAsync(HttpRequest request, string tenant, CancellationToken cancellation)
    {
        await using var draft = await files.BeginAsync(tenant, cancellation);
        string? name = null, purpose = null;
        FileExpiry? expiry = null;
        await foreach (var field in FormReader.ReadAsync(request, cancellation))
        {
            switch (field.Name)
            {
                case "file" when name is not null:
                    throw OpenAiException.Invalid("invalid_value", "'file' is there twice; send one file a request.", "file");
                case "file":
                    name = NameOf(field);
                    await CopyAsync(field, draft, cancellation);
                    break;
                case "purpose":
                    purpose = FilePurposes.Sent(await field.TextAsync(cancellation));
                    break;
                case "expires_after[anchor]":
                    expiry = FileExpiry.WithAnchor(expiry, await field.TextAsync(cancellation));
                    break;
                case "expires_after[seconds]":
                    expiry = FileExpiry.WithSeconds(expiry, await field.TextAsync(cancellation));
                    break;
                case "expires_after":
                    expiry = FileExpiry.OfJson(await field.TextAsync(cancellation));
                    break;
                default:
                    // Passed over, as OpenAI does.
                    break;
            }
        }

        purpose = FilePurposes.Sent(purpose);
        return name is null
            ? throw OpenAiException.Invalid("missing_required_parameter", "'file' is missing; send it as a field of the form.", "file")
            : await draft.KeepAsync(new(name, purpose, LifetimeOf(purpose, expiry, options)), cancellation);
    }

    /// <summary>How long a file is kept that was sent for this purpose.</summary>
    public static TimeSpan? LifetimeOf(string purpose, FileExpiry? expiry, FileStoreOptions options) =>
        expiry is not null ? expiry.Lifetime() : purpose == FilePurposes.Batch ? options.BatchLifetime : null;

    /// <summary>The name, which is only ever shown.</summary>
    /// <exception cref="OpenAiException">It is empty or too long.</exception>
    public static string NameOf(string? name, string field) => name is { Length: > 0 and <= FileDescription.MaxNameLength } && !name.Any(char.IsControl)
        ? name
        : throw OpenAiException.Invalid("invalid_value", $"'{field}' has no name that can be shown; give 1 to {FileDescription.MaxNameLength} letters without control characters.", field);

    private static string NameOf(FormField field) => NameOf(field.FileName ?? "file", "file");

    private async Task CopyAsync(FormField field, FileDraft draft, CancellationToken cancellation)
    {
        try
        {
            await draft.CopyFromAsync(field.Body, options.MaxFileBytes, cancellation);
        }
        catch (Exception cut) when (FormReader.IsCut(cut) && !cancellation.IsCancellationRequested)
        {
            throw FormField.Broken(cut);
        }
    }
}
