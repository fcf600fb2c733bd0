using Llava.Ledger.Keys;

namespace Llava.Ledger.Tests;

/// <summary>Who is signed in on the pages. The same on every database.</summary>
public abstract class SignInTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private ApiKeys Keys => Get<ApiKeys>();

    private SignIns SignIns => Get<SignIns>();

    [Fact]
    public async Task A_sign_in_holds_until_its_time_is_over()
    {
        var id = await SignIns.BeginAsync(null, "default", Lifetime);
        await RestartAsync();
        Assert.True(await SignIns.HoldsAsync(id));

        Clock.Advance(Lifetime);

        Assert.False(await SignIns.HoldsAsync(id));
        Assert.False(await SignIns.HoldsAsync("another"));
    }

    [Fact]
    public async Task It_ends_by_itself_and_no_other_with_it()
    {
        var (one, other) = (await SignIns.BeginAsync(null, "default", Lifetime), await SignIns.BeginAsync(null, "default", Lifetime));

        await SignIns.EndAsync(one, "default");

        Assert.Equal((false, true), (await SignIns.HoldsAsync(one), await SignIns.HoldsAsync(other)));
    }

    [Fact]
    public async Task It_ends_with_its_key()
    {
        var key = (await Keys.CreateAsync("k", "t", AccessRole.Viewer)).Key;
        var shortLived = (await Keys.CreateAsync("k", "t", AccessRole.Viewer, TimeSpan.FromMinutes(1))).Key;
        var (one, other) = (await SignIns.BeginAsync(key, "t", Lifetime), await SignIns.BeginAsync(shortLived, "t", Lifetime));
        Assert.Equal((true, true), (await SignIns.HoldsAsync(one), await SignIns.HoldsAsync(other)));

        await Keys.RevokeAsync(key.Id);
        Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((false, false), (await SignIns.HoldsAsync(one), await SignIns.HoldsAsync(other)));
    }
}

public sealed class SqliteSignInTests() : SignInTests(new SqliteFile());

public sealed class PostgresSignInTests() : SignInTests(new PostgresTestDatabase());
