using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary>Reads a multipart form field by field as it arrives, so that a file of any length needs no more memory than a buffer.</summary>
internal static class FormReader
{
    private const int MaxBoundaryLength = 100;

    private const int MaxFields = 32;

    /// <summary>The fields; each is good until the next is asked for.</summary>
    /// <exception cref="OpenAiException">The body is no such form, or ends before it should.</exception>
    public static async IAsyncEnumerable<FormField> ReadAsync(HttpRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        MultipartReader reader = new(BoundaryOf(request), request.Body);
        for (var fields = 0; await NextAsync(reader, cancellation) is { } section; fields++)
        {
            if (fields == MaxFields)
            {
                throw OpenAiException.Invalid("invalid_form", $"The form has more than {MaxFields} fields; docs/openai.md lists those that are read.");
            }

            if (ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) && disposition.Name is { Length: > 0 } name)
            {
                yield return new(HeaderUtilities.RemoveQuotes(name).ToString(), FileNameOf(disposition), section.Body);
            }
        }
    }

    private static string BoundaryOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
        && HeaderUtilities.RemoveQuotes(type.Boundary) is { Length: > 0 and <= MaxBoundaryLength } boundary
            ? boundary.ToString()
            : throw OpenAiException.Invalid("invalid_form", $"The content type is '{request.ContentType}'; send a form as 'multipart/form-data' with its boundary.");

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellation);
        }
        catch (Exception broken) when (broken is InvalidDataException || IsCut(broken))
        {
            throw FormField.Broken(broken);
        }
    }

    /// <summary>Whether the body ended in the middle of the form.</summary>
    internal static bool IsCut(Exception failure) => failure is IOException and not BadHttpRequestException;

    private static string? FileNameOf(ContentDispositionHeaderValue disposition)
    {
        var name = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
        return name.HasValue ? HeaderUtilities.UnescapeAsQuotedString(name).ToString() : null;
    }
}

/// <summary>A field of a form.</summary>
/// <param name="Name">Its name.</param>
/// <param name="FileName">What its sender calls the file; null for a field that is none.</param>
/// <param name="Body">Its bytes as they arrive.</param>
internal sealed record FormField(string Name, string? FileName, Stream Body)
{
    private const int MaxTextBytes = 64 * 1024;

    public static OpenAiException Broken(Exception reason) => OpenAiException.Invalid("invalid_form", $"The form cannot be read to its end: {reason.Message}");

    /// <summary>Its text.</summary>
    /// <exception cref="OpenAiException">It is longer than any that is expected, or cut off.</exception>
    public async Task<string> TextAsync(CancellationToken cancellation)
    {
        var bytes = new byte[MaxTextBytes + 1];
        var length = await ReadBytesAsync(bytes, cancellation);
        return length <= MaxTextBytes
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw OpenAiException.Invalid("invalid_value", $"'{Name}' is longer than {MaxTextBytes} bytes; only a file may be.", Name);
    }

    private async Task<int> ReadBytesAsync(byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            return await Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        }
        catch (Exception cut) when (FormReader.IsCut(cut))
        {
            throw Broken(cut);
        }
    }
}
