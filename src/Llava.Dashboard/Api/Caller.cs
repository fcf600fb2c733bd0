using System.Security.Claims;
using Llava.Contracts;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Api;

/// <summary>Who sent a request, and what is whose.</summary>
/// <param name="Id">Under which requests are counted: the key's id, or the name of who signed in.</param>
/// <param name="Role">What the caller may do.</param>
/// <param name="Tenant">Whose jobs the caller submits.</param>
internal sealed record Caller(string Id, AccessRole? Role, string Tenant)
{
    /// <summary>Whose jobs those submit who opened the one-time link.</summary>
    public const string DefaultTenant = "default";

    private const string TenantClaim = "tenant";

    /// <summary>The tenant that the caller is confined to; null for all.</summary>
    public string? Confinement => Role == AccessRole.Admin ? null : Tenant;

    /// <summary>Whether that tenant's jobs are the caller's to see.</summary>
    public bool MaySee(string tenant) => Confinement is null || Confinement == tenant;

    /// <summary>The claims of a key's holder.</summary>
    public static IEnumerable<Claim> Claims(ApiKey key) => [new(ClaimTypes.NameIdentifier, key.Id), new(TenantClaim, key.Tenant), RoleClaim(key.Role)];

    /// <summary>The claim of a role.</summary>
    public static Claim RoleClaim(AccessRole role) => new(ClaimTypes.Role, role.WireName());

    /// <summary>Who that is; who opened the one-time link belongs to the default tenant.</summary>
    public static Caller Of(ClaimsPrincipal user) => new(
        user.FindFirstValue(ClaimTypes.NameIdentifier) ?? user.Identity?.Name ?? "",
        Enum.TryParse<AccessRole>(user.FindFirstValue(ClaimTypes.Role), ignoreCase: true, out var role) ? role : null,
        user.FindFirstValue(TenantClaim) ?? DefaultTenant);

    /// <summary>Lets endpoints ask for the caller.</summary>
    public static ValueTask<Caller> BindAsync(HttpContext context) => new(Of(context.User));

    /// <summary>The job; another tenant's is as if it were not there.</summary>
    /// <exception cref="ApiException">The text is no job id.</exception>
    /// <exception cref="JobNotFoundException">The caller has no such job.</exception>
    public async Task<JobRecord> JobAsync(JobReader jobs, string id, CancellationToken cancellation)
    {
        if (!JobId.TryParse(id, null, out var job))
        {
            throw new ApiException(StatusCodes.Status404NotFound, "job_not_found", $"'{id}' is not a job id; list jobs to see those there are.");
        }

        var record = await jobs.FindAsync(job, cancellation);
        return record is not null && MaySee(record.Request.Tenant) ? record : throw new JobNotFoundException(job);
    }
}
