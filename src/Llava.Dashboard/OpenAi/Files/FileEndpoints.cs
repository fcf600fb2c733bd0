using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary><c>/files</c>: send, list, read and delete files.</summary>
internal static class FileEndpoints
{
    private const int MaxLimit = 10_000;

    public static void MapFiles(this RouteGroupBuilder api, FileStoreOptions options)
    {
        api.MapPost("/files", SendAsync).RequireRole(AccessRole.Operator).WithMetadata(new RequestSizeLimitAttribute(options.MaxFileBytes + FileForm.FieldBytes))
            .WithSummary("Sends a file").TakesForm("file", "purpose", "expires_after[anchor]", "expires_after[seconds]").Produces<FileObject>();
        api.MapGet("/files", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists files").TakesPage().Produces<OpenAiPage<FileObject>>();
        api.MapGet("/files/{file}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows a file").Produces<FileObject>();
        api.MapGet("/files/{file}/content", ReadBytesAsync).RequireRole(AccessRole.Viewer).WithSummary("Reads a file, or a range of it").Produces<Stream>(StatusCodes.Status200OK, "application/octet-stream");
        api.MapDelete("/files/{file}", DeleteAsync).RequireRole(AccessRole.Operator).WithSummary("Deletes a file").Produces<DeletedObject>();
    }

    /// <summary>The caller's file; another tenant's is as if it were not there.</summary>
    /// <exception cref="OpenAiException">There is no such file.</exception>
    public static async Task<FileRecord> FileAsync(this Caller caller, FileStore files, string id, CancellationToken cancellation) =>
        await files.FindAsync(id, caller.Confinement, cancellation)
        ?? throw OpenAiException.NotFound("file_not_found", $"There is no file '{id}', or it has expired; list files to see those there are.", "file_id");

    private static async Task<IResult> SendAsync(HttpRequest request, Caller caller, FileForm form, CancellationToken cancellation) =>
        Results.Json(FileObject.Of(await form.ReceiveAsync(request, caller.Tenant, cancellation)), FileJson.Default.FileObject);

    private static async Task<IResult> ListAsync(HttpRequest request, Caller caller, FileStore files, string? purpose, CancellationToken cancellation)
    {
        var query = PageQuery.Of(request, MaxLimit, MaxLimit);
        var found = await files.ListAsync(new()
        {
            Tenant = caller.Confinement,
            Purpose = FilePurposes.Listed(purpose),
            After = query.After,
            OldestFirst = query.OldestFirst,
            Limit = query.Fetch,
        }, cancellation);
        return Results.Json(query.Page([.. found.Select(FileObject.Of)], file => file.Id), FileJson.Default.OpenAiPageFileObject);
    }

    private static async Task<IResult> ReadAsync(Caller caller, FileStore files, string file, CancellationToken cancellation) =>
        Results.Json(FileObject.Of(await caller.FileAsync(files, file, cancellation)), FileJson.Default.FileObject);

    /// <summary>The bytes, or a range of them: what was cut off is gone on with.</summary>
    private static async Task<IResult> ReadBytesAsync(Caller caller, FileStore files, string file, CancellationToken cancellation)
    {
        var found = await caller.FileAsync(files, file, cancellation);
        return Results.File(
            files.Open(found), "application/octet-stream", found.Name, found.CreatedAt, new EntityTagHeaderValue($"\"{found.Sha256}\""), enableRangeProcessing: true);
    }

    private static async Task<IResult> DeleteAsync(Caller caller, FileStore files, string file, CancellationToken cancellation)
    {
        var found = await caller.FileAsync(files, file, cancellation);
        await files.DeleteAsync(found, cancellation);
        return Results.Json(new DeletedObject(found.Id, "file"), FileJson.Default.DeletedObject);
    }
}
