using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Files;
using Llava.Ledger.Files;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Files of the API: list, upload, download, delete, and which jobs name one.</summary>
[RequestFormLimits(MultipartBodyLengthLimit = LongestUpload)]
[RequestSizeLimit(LongestUpload + (1 << 20))]
internal sealed class FilesModel(FileStore files, JobReader jobs, FileStoreOptions options) : PageModel
{
    /// <summary>Longest file that is taken by the form; longer ones come through the API.</summary>
    public const long LongestUpload = 1L << 30;

    private const int PageSize = 50;

    /// <summary>The newest files behind <see cref="After"/>.</summary>
    public IReadOnlyList<FileRecord> Files { get; private set; } = [];

    /// <summary>Id of the last file of the page before; null on the first.</summary>
    [BindProperty(SupportsGet = true)]
    public string? After { get; set; }

    /// <summary>Id of the file that is looked at; null for none.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Id { get; set; }

    /// <summary>The file that is looked at.</summary>
    public FileRecord? Shown { get; private set; }

    /// <summary>The newest jobs that name it.</summary>
    public IReadOnlyList<JobId> Uses { get; private set; } = [];

    /// <summary>Whether there are older files.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Whether the reader may send and delete.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>Whether files of several tenants are shown.</summary>
    public bool ShowsTenants => Caller.Of(User).Confinement is null;

    /// <summary>What senders may say a file is for.</summary>
    public static IReadOnlyList<string> Purposes => FilePurposes.OfSenders;

    /// <summary>The page.</summary>
    public async Task<IActionResult> OnGetAsync(CancellationToken cancellation)
    {
        var tenant = Caller.Of(User).Confinement;
        if (Id is not null)
        {
            Shown = await files.FindAsync(Id, tenant, cancellation);
            if (Shown is null)
            {
                return NotFound();
            }

            Uses = await jobs.NamingAsync(Shown.Id, Shown.Tenant, cancellation);
        }

        var found = await files.ListAsync(new() { Tenant = tenant, After = After, Limit = PageSize + 1 }, cancellation);
        HasMore = found.Count > PageSize;
        Files = HasMore ? found[..PageSize] : found;
        return Page();
    }

    /// <summary>The bytes, never shown in place.</summary>
    public async Task<IActionResult> OnGetContentAsync(CancellationToken cancellation)
    {
        var file = Id is null ? null : await files.FindAsync(Id, Caller.Of(User).Confinement, cancellation);
        return file is null ? NotFound() : new FileStreamResult(files.Open(file), "application/octet-stream") { FileDownloadName = file.Name, EnableRangeProcessing = true };
    }

    /// <summary>Keeps a file.</summary>
    public async Task<IActionResult> OnPostUploadAsync(IFormFile? file, string? purpose, CancellationToken cancellation)
    {
        if (file is null || purpose is null || !Purposes.Contains(purpose) || file.FileName.Length is 0 or > FileDescription.MaxNameLength)
        {
            TempData["Refused"] = "Choose a file with a name of at most 512 letters, and what it is for.";
            return RedirectToPage();
        }

        await using var bytes = file.OpenReadStream();
        var lifetime = purpose == "batch" ? options.BatchLifetime : (TimeSpan?)null;
        var kept = await files.CreateAsync(Caller.Of(User).Tenant, new(Path.GetFileName(file.FileName), purpose, lifetime), bytes, LongestUpload, cancellation);
        TempData["Said"] = $"“{kept.Name}” is kept as {kept.Id}.";
        return RedirectToPage(new { kept.Id });
    }

    /// <summary>Deletes a file.</summary>
    public async Task<IActionResult> OnPostDeleteAsync(CancellationToken cancellation)
    {
        var file = Id is null ? null : await files.FindAsync(Id, Caller.Of(User).Confinement, cancellation);
        if (file is null)
        {
            return NotFound();
        }

        await files.DeleteAsync(file, cancellation);
        TempData["Said"] = $"“{file.Name}” is deleted.";
        return Redirect("/files");
    }
}
