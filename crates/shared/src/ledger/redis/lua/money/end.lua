-- ARGV: a lease.
close(ARGV[4])
write()
return 1
