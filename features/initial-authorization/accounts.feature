Feature: Whose call it is
  An acquirer serves many shops with one API key of its own. Klarna keeps the shops apart by the account in
  the path of each call.

  @AP-03
  Scenario: The acquirer calls with its own API key
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer authorizes the payment with its own API key

  @AP-06 @AP-45 @exclusive
  Scenario: Two Partners at once, each in its own account to the end
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    Given a second Partner of the acquirer with an order of 799.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer authorizes the payment with Klarna, initially
    And the acquirer responds that the payment is approved
    When the story goes back to the first Partner
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And the acquirer tells the Partner that the payment is approved
    And each Partner's calls stand in its own Klarna account
